"""What the owner of an account hears of others' failed attempts to sign in to it."""

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
# Fewer are slips. Counted over a day: the patient are those to be feared.
CODES_BEFORE_NOTICE = 3


@transaction.atomic
def note(person: Person, event: str) -> None:
    """Write down what failed lately, from which the owner hears: once a day and kind.

    Strangers can bring about a notice of TOO_MANY each day, and no more; they learn
    nothing by it.
    """
    # Two that note at once: the second waits here, and finds the first.
    lock_chain()
    since = timezone.now() - QUIET
    told = Entry.objects.filter(event=event, subject_key=str(person.pk), at__gt=since)
    if told.exists():
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
    """Note the failures at the second factor, when they are more than a slip."""
    if _wrong_codes(person).count() >= CODES_BEFORE_NOTICE:
        note(person, WRONG_CODES)


def _wrong_codes(person: Person) -> QuerySet[SignIn]:
    return sign_in_attempts.failures_at(person.address, within=QUIET).filter(
        is_code=True
    )


def _few(names: list[str]) -> str:
    """The different ones, the latest first."""
    different = list(dict.fromkeys(names))
    more = len(different) - NETWORKS_NAMED
    said = ", ".join(different[:NETWORKS_NAMED])
    return f"{said} and {more} more" if more > 0 else said
