from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone

from engine.audit.record import record
from engine.registry import second_person
from engine.registry.errors import PolicyError
from engine.registry.models import Person, Recovery, RecoveryCause
from engine.registry.recovery import is_untouched, shut_time, unproved_change
from engine.registry.verbs import verb


def note_recovery(person: Person, *, sent_at: datetime) -> None:
    """Shut the mailbox where the link that was just used may have gone elsewhere.

    `sent_at` is when the link left, at the earliest.
    """
    if person.address_changes.exists():
        _note_recovery(person, sent_at)


@verb
def _note_recovery(person: Person, sent_at: datetime) -> None:
    change = unproved_change(person, sent_at=sent_at)
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


def note_letter(person: Person, *, printed_by: Person | None) -> None:
    """Shut the mailbox of somebody who signs in by a letter, unless it is empty."""
    if not is_untouched(person) and not person.is_mail_shut:
        _note_letter(person, printed_by)


@verb
def _note_letter(person: Person, printed_by: Person | None) -> None:
    _shut(person, RecoveryCause.LETTER, printed_by, str(printed_by or ""))


@verb
def note_factor_reset(person: Person, *, by: Person, agreed_by: Person | None) -> None:
    """Shut the mailbox of somebody whose second factor one person alone has reset."""
    if agreed_by is None:
        _shut(person, RecoveryCause.FACTOR_RESET, by, str(by))


@verb
def note_sign_in(person: Person) -> None:
    """Let the time run after which a recovered mailbox opens. Again changes nothing."""
    if person.mail_shut_at is None or person.mail_shut_until is not None:
        return
    until = timezone.now() + shut_time()
    person.mail_shut_until = until
    person.save(update_fields=["mail_shut_until"])
    person.recoveries.filter(shut_until=None, opened_at=None).update(shut_until=until)
    _record("person.recovered", person, {"shut_until": until.isoformat()}, by=person)


@verb
def open_mail(person: Person, *, reason: str, by: Person) -> None:
    """Open, as a second person, a mailbox that a recovery shut. Raises PolicyError."""
    person.refresh_from_db()
    if not person.is_mail_shut:
        raise PolicyError("This mailbox is open.")
    waiting = person.recoveries.shut(timezone.now())
    for recovery in waiting:
        second_person.check_can_agree(person, first=recovery.caused_by, by=by)
    waiting.update(opened_at=timezone.now(), opened_by=by, reason=reason)
    person.mail_shut_at = person.mail_shut_until = None
    person.save(update_fields=["mail_shut_at", "mail_shut_until"])
    _record("person.mail_opened", person, {"reason": reason}, by=by)


def _shut(
    person: Person, cause: RecoveryCause, caused_by: Person | None, name: str
) -> None:
    Recovery.objects.create(
        person=person, cause=cause, caused_by=caused_by, caused_by_name=name
    )
    if not person.is_mail_shut:
        person.mail_shut_at = timezone.now()
    person.mail_shut_until = None
    person.save(update_fields=["mail_shut_at", "mail_shut_until"])
    person.recoveries.shut(timezone.now()).update(shut_until=None)
    _record("person.mail_shut", person, {"cause": cause.label}, by=None)


def _record(
    event: str, person: Person, detail: Mapping[str, object], *, by: Person | None
) -> None:
    record(event, person, organisation_key=person.organisation_id, detail=detail, by=by)
