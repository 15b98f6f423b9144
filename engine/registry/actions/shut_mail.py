"""Actions that shut a mailbox after a doubtful recovery, and open it again.

A recovery that one other person could have arranged alone gives its user the account,
but not the mail: the owner has time to notice and object, or a second person opens it.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from engine.registry.credentials.account_recovery import (
    is_unused,
    shut_duration,
    untrusted_change,
)
from engine.registry.errors import PolicyError
from engine.registry.models import Person, Recovery, RecoveryCause
from engine.registry.permissions import two_person_rule
from engine.registry.verbs import record_action, verb


def shut_after_recovery(person: Person, *, sent_at: datetime) -> None:
    """Shuts the mailbox if the recovery link just used may have gone to another reader.

    `sent_at` is the earliest time at which the link can have been sent.
    """
    # Most accounts never had an address change, and need no lock to find out.
    if person.address_changes.exists():
        _shut_after_recovery(person, sent_at)


@verb
def _shut_after_recovery(person: Person, sent_at: datetime) -> None:
    change = untrusted_change(person, sent_at=sent_at)
    latest = change or person.address_changes.exclude(applied_at=None).first()
    if latest is not None and latest.used_at is None:
        latest.used_at = timezone.now()
        latest.save(update_fields=["used_at"])
    if change is not None:
        _shut(
            person,
            RecoveryCause.NEW_ADDRESS,
            change.requested_by,
            change.requested_by_name,
        )


def shut_after_letter(person: Person, *, printed_by: Person | None) -> None:
    """Shuts the mailbox of a person who signs in by a letter, unless it is empty."""
    if not is_unused(person) and not person.is_mail_shut:
        _shut_after_letter(person, printed_by)


@verb
def _shut_after_letter(person: Person, printed_by: Person | None) -> None:
    _shut(person, RecoveryCause.LETTER, printed_by, str(printed_by or ""))


@verb
def shut_after_factor_reset(
    person: Person, *, by: Person, agreed_by: Person | None
) -> None:
    """Shuts the mailbox of a person whose second factor was reset by one person alone."""
    if agreed_by is None:
        _shut(person, RecoveryCause.FACTOR_RESET, by, str(by))


@verb
def start_shut_period(person: Person) -> None:
    """Starts, at the first sign-in, the time after which a shut mailbox opens.

    Counted from the recovery itself it could be over before anyone signs in. Later
    sign-ins change nothing.
    """
    if person.mail_shut_at is None or person.mail_shut_until is not None:
        return
    until = timezone.now() + shut_duration()
    person.mail_shut_until = until
    person.save(update_fields=["mail_shut_until"])
    person.recoveries.filter(shut_until=None, opened_at=None).update(shut_until=until)
    detail = {"shut_until": until.isoformat()}
    record_action("person.recovered", person, detail, by=person)


@verb
def open_mail(person: Person, *, reason: str, by: Person) -> None:
    """Opens a shut mailbox before its time, with the agreement of a second person.

    Raises PolicyError if it is open, or if `by` may not be the second person.
    """
    person.refresh_from_db()
    if not person.is_mail_shut:
        raise PolicyError("This mailbox is not locked.")
    recoveries = person.recoveries.shut(timezone.now())
    for recovery in recoveries:
        two_person_rule.check_can_agree(person, first=recovery.caused_by, by=by)
    recoveries.update(opened_at=timezone.now(), opened_by=by, reason=reason)
    person.mail_shut_at = person.mail_shut_until = None
    person.save(update_fields=["mail_shut_at", "mail_shut_until"])
    record_action("person.mail_opened", person, reason=reason, by=by)


def _shut(
    person: Person, cause: RecoveryCause, caused_by: Person | None, name: str
) -> None:
    Recovery.objects.create(
        person=person, cause=cause, caused_by=caused_by, caused_by_name=name
    )
    # App passwords made before mail_shut_at keep working. A second recovery must not
    # move it forward past one that the first intruder made.
    if not person.is_mail_shut:
        person.mail_shut_at = timezone.now()
    person.mail_shut_until = None
    person.save(update_fields=["mail_shut_at", "mail_shut_until"])
    person.recoveries.shut(timezone.now()).update(shut_until=None)
    record_action("person.mail_shut", person, {"cause": cause.label}, by=None)
