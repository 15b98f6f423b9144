"""Records failed sign-ins, of which the account's owner is notified."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from engine.audit.models import Entry
from engine.audit.record import lock_chain, record
from engine.registry.models import Person
from portal.sessions import sign_in_attempts
from portal.sessions.models import SignIn

TOO_MANY = "person.sign_ins_failed"
WRONG_CODES = "person.codes_failed"
QUIET = timedelta(days=1)  # between two notices of one kind
NETWORKS_NAMED = 3
# Fewer are typing errors. Counted over a day, because a careful attacker is slow.
CODES_BEFORE_NOTICE = 3


@transaction.atomic
def note(person: Person, event: str) -> None:
    """Records recent failures in the audit trail, at most once a day for each event.

    The owner is notified of the entry. A stranger can cause one TOO_MANY notification a
    day, and learns nothing from it.
    """
    # Serialises concurrent records: the second waits here, and finds the first.
    lock_chain()
    since = timezone.now() - QUIET
    recorded = Entry.objects.filter(
        event=event, subject_key=str(person.pk), at__gt=since
    )
    if recorded.exists():
        return
    failed = _wrong_codes(person)
    if event == TOO_MANY:
        failed = sign_in_attempts.failures_at(person.address)
    rows = list(failed.values_list("network", "browser"))
    detail = {
        "count": len(rows),
        "network": _few([network for network, _ in rows if network]),
        "browser": _few([browser for _, browser in rows if browser]),
    }
    record(
        event, person, organisation_key=person.organisation_id, detail=detail, by=None
    )


def note_wrong_code(person: Person) -> None:
    """Records failures at the second factor once they are too many for typing errors."""
    if _wrong_codes(person).count() >= CODES_BEFORE_NOTICE:
        note(person, WRONG_CODES)


def _wrong_codes(person: Person) -> QuerySet[SignIn]:
    return sign_in_attempts.failures_at(person.address, within=QUIET).filter(
        is_code=True
    )


def _few(names: list[str]) -> str:
    """Returns the distinct names, the latest first, and the number of others."""
    different = list(dict.fromkeys(names))
    more = len(different) - NETWORKS_NAMED
    said = ", ".join(different[:NETWORKS_NAMED])
    return f"{said} and {more} more" if more > 0 else said
