from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from engine import slices
from engine.audit.record import record
from engine.registry import permissions, second_person
from engine.registry.actor import Actor
from engine.registry.addresses import parsed
from engine.registry.errors import PolicyError
from engine.registry.models import (
    ApiKey,
    Person,
    RecoveryAddressChange,
)
from engine.registry.recovery import (
    check_mail_is_open,
    delay,
    is_untouched,
    pending_change,
)
from engine.registry.verbs import verb

BY_LINK = "the reader of a notice"


@verb
def change_own_address(person: Person, *, address: str, by: Person) -> None:
    """Set where the owner's own links and notices go, from now on.

    The screen asks for the second factor first. Another's change that waits ends with
    it. Raises PolicyError for what is no address, or by anybody else.
    """
    if by != person:
        raise PolicyError("Only the owner of the account sets this at once.")
    check_mail_is_open(person)
    new = _checked(person, address)
    waiting = pending_change(person)
    if waiting is not None:
        _refuse(waiting, str(by), by=by)
    change = _asked(person, new, reason="", wait=False, by=by)
    _apply(change)
    _record("person.address_changed_by_owner", person, _said(change), by=by)


@verb
def request_address_change(
    person: Person, *, address: str, reason: str, by: Actor | None
) -> RecoveryAddressChange:
    """Ask for another everyday address for somebody else's account.

    The owner, the address before and the organisation's administrators hear. It takes
    effect after the delay, unless the owner refuses it or a second person confirms it;
    at once while nobody has used the account. Raises PolicyError.
    """
    _check_can_ask(person, by=by)
    if not reason.strip():
        raise PolicyError("Enter a reason.")
    if pending_change(person) is not None:
        raise PolicyError(
            "A change of this address is waiting already. Stop that one first."
        )
    new = _checked(person, address)
    is_first = is_untouched(person)
    change = _asked(person, new, reason=reason, wait=not is_first, by=by)
    if not is_first:
        _record("person.address_change_requested", person, _said(change), by=by)
        return change
    _apply(change)
    _record("person.address_set", person, _said(change), by=by)
    return change


@verb
def note_first_address(person: Person, *, by: Actor | None) -> None:
    """Remember who gave the address that a new account began with."""
    if not person.everyday_address:
        return
    now = timezone.now()
    RecoveryAddressChange.objects.create(
        person=person,
        new=person.everyday_address,
        is_first=True,
        requested_by=_person(by),
        requested_by_name=str(by or ""),
        effective_at=now,
        applied_at=now,
    )


@verb
def refuse_address_change(change: RecoveryAddressChange, *, by: Person | None) -> None:
    """Stop a change that waits: the owner, or who looks after the account.

    `by=None` is the reader of a notice, by its link. Refusing again changes nothing;
    raises PolicyError where the change is in force.
    """
    change = _locked(change)
    if change.refused_at is not None:
        return
    if change.applied_at is not None:
        raise PolicyError(
            "This change has taken effect. Call the helpdesk if it is not yours."
        )
    owner = change.person
    if (
        by is not None
        and by != owner
        and not second_person.may_look_after(owner, by=by)
    ):
        raise PolicyError("You do not look after this account.")
    _refuse(change, str(by) if by else BY_LINK, by=by)


@verb
def confirm_address_change(
    change: RecoveryAddressChange, *, reason: str, by: Person
) -> None:
    """Agree, as a second person, that a change takes effect now. Raises PolicyError."""
    change = _locked(change)
    if not change.is_pending:
        raise PolicyError("This change no longer waits.")
    second_person.check_can_agree(change.person, first=change.requested_by, by=by)
    change.confirmed_by = by
    _apply(change)
    detail = {**_said(change), "reason": reason}
    _record("person.address_change_confirmed", change.person, detail, by=by)


def settle(person: Person) -> None:
    """Bring a change into force whose delay has passed. Twice changes nothing.

    Asked before the address is used for recovery, so that no job has to be in time;
    strangers can ask it too, so that it is a verb only where there is something to do.
    """
    if person.address_changes.due(timezone.now()).exists():
        _settle(person)
        person.refresh_from_db(fields=["everyday_address"])


@verb
def _settle(person: Person) -> None:
    due = RecoveryAddressChange.objects.due(timezone.now()).filter(person=person)
    for change in due.select_for_update(of=("self",)):
        _apply(change)
        _record("person.address_changed", change.person, _said(change), by=None)


def apply_due() -> int:
    """Settle everybody whose delay has passed; runs by schedule. Returns how many."""
    due = RecoveryAddressChange.objects.due(timezone.now()).select_related("person")
    people = {change.person_id: change.person for change in due}
    return slices.for_each(people.values(), settle)


def _check_can_ask(person: Person, *, by: Actor | None) -> None:
    if by == person:
        raise PolicyError("Change your own address in “Account”.")
    if isinstance(by, Person) and not second_person.may_look_after(person, by=by):
        raise PolicyError("You do not look after this account.")
    if isinstance(by, ApiKey) and permissions.is_privileged(person):
        raise PolicyError(f"{person.name} has a role of staff: no key changes that.")
    second_person.check_holds_their_powers(person, by=by)


def _checked(person: Person, address: str) -> str:
    new = str(parsed(address)) if address.strip() else ""
    if new == person.everyday_address:
        raise PolicyError("This is the address already.")
    if new.casefold() == person.address:
        raise PolicyError(
            "Choose an address outside the community: who cannot sign in does not "
            "read mail here."
        )
    return new


def _asked(
    person: Person, new: str, *, reason: str, wait: bool, by: Actor | None
) -> RecoveryAddressChange:
    now = timezone.now()
    return RecoveryAddressChange.objects.create(
        person=person,
        old=person.everyday_address,
        new=new,
        reason=reason.strip(),
        is_first=not wait and by != person,
        requested_by=_person(by),
        requested_by_name=str(by or ""),
        requested_at=now,
        effective_at=now + delay() if wait else now,
    )


def _apply(change: RecoveryAddressChange) -> None:
    person = change.person
    change.applied_at = timezone.now()
    change.save(update_fields=["applied_at", "confirmed_by"])
    person.everyday_address = change.new
    person.save(update_fields=["everyday_address"])


def _refuse(change: RecoveryAddressChange, name: str, *, by: Person | None) -> None:
    change.refused_at, change.refused_by_name = timezone.now(), name
    change.save(update_fields=["refused_at", "refused_by_name"])
    detail = {**_said(change), "refused_by": name}
    _record("person.address_change_refused", change.person, detail, by=by)


def _locked(change: RecoveryAddressChange) -> RecoveryAddressChange:
    rows = RecoveryAddressChange.objects.select_for_update(of=("self",))
    return rows.select_related("person__organisation").get(pk=change.pk)


def _person(actor: Actor | None) -> Person | None:
    """Who answers for it: a key's maker for the key."""
    return actor.made_by if isinstance(actor, ApiKey) else actor


def _said(change: RecoveryAddressChange) -> dict[str, object]:
    said = {
        "old": change.old,
        "new": change.new,
        "requested_by": change.requested_by_name,
        "reason": change.reason,
        "effective_at": change.effective_at.isoformat(),
        "change": change.pk,
    }
    return {name: value for name, value in said.items() if value}


def _record(
    event: str,
    person: Person,
    detail: Mapping[str, object],
    *,
    by: Actor | None,
) -> None:
    record(event, person, organisation_key=person.organisation_id, detail=detail, by=by)
