"""Lists a person's sessions and sign-ins, for their own page and for administrators'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.http import Http404
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.credentials.sign_in_tally import SignInMethod
from engine.registry.models import ApiKey, Organisation, Person, RoleName
from portal.sessions.models import SignIn, WebSession
from portal.ui.audit_entries import event_label

MAX_SIGN_INS_SHOWN = 20
COUNTS_SHOWN_FOR = timedelta(days=30)
# What the audit trail counts by the hour, in words.
COUNTED = {
    ("person.program_signed_in", SignInMethod.POP3): "A mail program fetched mail",
    ("person.program_signed_in", SignInMethod.SUBMISSION): "A mail program sent mail",
    ("person.program_sign_in_failed", SignInMethod.POP3): (
        "A mail program failed to sign in"
    ),
    ("person.program_sign_in_failed", SignInMethod.SUBMISSION): (
        "A mail program failed to sign in"
    ),
    ("person.sign_in_failed", SignInMethod.SITE): "A wrong password",
    ("person.sign_in_failed", SignInMethod.CODE): "A wrong second factor",
}


@dataclass(frozen=True, slots=True)
class CountedSignIns:
    """Sign-ins of mail programs, or failed attempts, from one network in an hour."""

    hour: datetime
    what: str
    network: str
    count: int


def overview_of(person: Person) -> dict[str, Any]:
    """Returns the template context: open sessions, live app passwords, latest sign-ins,
    and the latest counts of mail programs' sign-ins and of failed attempts.
    """
    return {
        "sessions": list(WebSession.objects.open_of(person)),
        "app_passwords": list(person.app_passwords.live()),
        "sign_ins": list(
            SignIn.objects.filter(person=person, succeeded=True)[:MAX_SIGN_INS_SHOWN]
        ),
        "counted": list(_counted(person)),
    }


def keys_that_go_on(person: Person) -> list[ApiKey]:
    """Returns the API keys of organisations that the person administers.

    They are valid without a session, so that signing out does not end them.
    """
    administered = Organisation.objects.filter(
        roles__person=person, roles__role=RoleName.ADMINISTRATOR
    )
    keys = ApiKey.objects.live().filter(organisation__in=administered)
    return list(keys.select_related("organisation"))


def _counted(person: Person) -> Iterator[CountedSignIns]:
    rows = Entry.objects.filter(
        subject_kind=person._meta.label_lower,
        subject_key=str(person.pk),
        event__in={event for event, _ in COUNTED},
        at__gte=timezone.now() - COUNTS_SHOWN_FOR,
    )
    # By a sum, so that PostgreSQL sorts the person's entries instead of looking through
    # everybody's for the latest of theirs.
    for row in rows.order_by((F("pk") + 0).desc())[:MAX_SIGN_INS_SHOWN]:
        detail = row.detail
        what = COUNTED.get((row.event, detail["by"]), event_label(row.event))
        hour = datetime.fromisoformat(detail["hour"])
        yield CountedSignIns(hour, what, detail["network"], detail["count"])


def session_of(person: Person, session_id: str) -> WebSession:
    """Returns an open session of the person by its public id. Raises Http404."""
    found = WebSession.objects.open_of(person).filter(public_id=session_id).first()
    if found is None:
        raise Http404
    return found
