"""Actions on the everyday address, to which links that open an account are sent."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from engine.database import batches
from engine.registry import permissions
from engine.registry.addresses.allocation import parse_address
from engine.registry.credentials.account_recovery import (
    check_mail_is_open,
    is_unused,
    pending_change,
    recovery_delay,
)
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    ApiKey,
    Organisation,
    Person,
    RecoveryAddressChange,
    RoleName,
)
from engine.registry.permissions import two_person_rule
from engine.registry.permissions.own_administrators import (
    active_administrators,
    is_outsider,
)
from engine.registry.verbs import record_action, verb

BY_LINK = "the reader of a notice"


@verb
def change_own_address(person: Person, *, address: str, by: Person) -> None:
    """Sets where the owner's own links and notices go, immediately.

    The screen asks for the second factor first. Refuses a pending change by another
    person. Raises PolicyError for anyone but the owner, while the mailbox is shut, and
    for an unusable address.
    """
    if by != person:
        raise PolicyError("Only the owner of the account can change this immediately.")
    # Otherwise the user of a doubtful recovery could make the account their own before
    # the owner has had time to object.
    check_mail_is_open(person)
    new = _checked_address(person, address)
    pending = pending_change(person)
    if pending is not None:
        _refuse(pending, str(by), by=by)
    change = _create(person, new, reason="", is_delayed=False, by=by)
    _apply(change)
    record_action("person.address_changed_by_owner", person, _detail_of(change), by=by)


@verb
def request_address_change(
    person: Person, *, address: str, reason: str, by: Actor | None
) -> RecoveryAddressChange:
    """Requests another everyday address for somebody else's account.

    The owner, the old address and the organisation's administrators are notified. The
    change takes effect after the recovery delay, unless the owner refuses it or a second
    person confirms it; immediately while the account is unused, except by staff for an
    administrator of an organisation that others administer already. Raises PolicyError.
    """
    _check_can_request(person, by=by)
    if not reason.strip():
        raise PolicyError("Enter a reason.")
    if pending_change(person) is not None:
        raise PolicyError(
            "A change of this address is already pending. Stop that one first."
        )
    new = _checked_address(person, address)
    is_first = is_unused(person) and not _would_open_organisation(person, by=by)
    change = _create(person, new, reason=reason, is_delayed=not is_first, by=by)
    if not is_first:
        record_action(
            "person.address_change_requested", person, _detail_of(change), by=by
        )
        return change
    _apply(change)
    record_action("person.address_set", person, _detail_of(change), by=by)
    return change


@verb
def record_first_address(person: Person, *, by: Actor | None) -> None:
    """Records who gave the everyday address that a new account began with."""
    record_first_addresses([person], by=by)


def record_first_addresses(people: Iterable[Person], *, by: Actor | None) -> None:
    """Records who gave the everyday addresses of several new accounts."""
    now = timezone.now()
    RecoveryAddressChange.objects.bulk_create(
        RecoveryAddressChange(
            person=person,
            new=person.everyday_address,
            is_first=True,
            requested_by=_responsible_person(by),
            requested_by_name=str(by or ""),
            effective_at=now,
            applied_at=now,
        )
        for person in people
        if person.everyday_address
    )


@verb
def refuse_address_change(change: RecoveryAddressChange, *, by: Person | None) -> None:
    """Refuses a pending change, for the owner or a person who may manage the account.

    `by=None` is the reader of a notice, by the link in it. Refusing again changes
    nothing. Raises PolicyError if the change has taken effect, and for others.
    """
    change = _lock(change)
    if change.refused_at is not None:
        return
    if change.applied_at is not None:
        raise PolicyError(
            "This change has taken effect. If you did not ask for it, call the "
            "helpdesk."
        )
    owner = change.person
    if (
        by is not None
        and by != owner
        and not two_person_rule.can_manage_account(owner, by=by)
    ):
        raise PolicyError("You do not manage this account.")
    _refuse(change, str(by) if by else BY_LINK, by=by)


@verb
def confirm_address_change(
    change: RecoveryAddressChange, *, reason: str, by: Person
) -> None:
    """Makes a pending change take effect now, with a second person's agreement.

    Raises PolicyError if it is no longer pending, or `by` may not be the second person.
    """
    change = _lock(change)
    if not change.is_pending:
        raise PolicyError("This change is no longer pending.")
    two_person_rule.check_can_agree(change.person, first=change.requested_by, by=by)
    change.confirmed_by = by
    _apply(change)
    detail = {**_detail_of(change), "reason": reason}
    record_action("person.address_change_confirmed", change.person, detail, by=by)


def apply_due_change(person: Person) -> None:
    """Applies the person's pending change if its delay is over. Idempotent.

    Called before every use of the address, so that security does not depend on a job
    running on time. Unauthenticated requests reach it too, so the registry's lock is
    taken only if a change is due.
    """
    if person.address_changes.due(timezone.now()).exists():
        _apply_due_change(person)
        person.refresh_from_db(fields=["everyday_address"])


@verb
def _apply_due_change(person: Person) -> None:
    due = RecoveryAddressChange.objects.due(timezone.now()).filter(person=person)
    for change in due.select_for_update(of=("self",)):
        _apply(change)
        record_action(
            "person.address_changed", change.person, _detail_of(change), by=None
        )


def apply_due_changes() -> int:
    """Applies every change whose delay is over; runs by schedule. Returns how many."""
    due = RecoveryAddressChange.objects.due(timezone.now()).select_related("person")
    people = {change.person_id: change.person for change in due}
    return batches.for_each(people.values(), apply_due_change)


def _check_can_request(person: Person, *, by: Actor | None) -> None:
    if by == person:
        raise PolicyError("Change your own address in “Account”.")
    if isinstance(by, Person) and not two_person_rule.can_manage_account(person, by=by):
        raise PolicyError("You do not manage this account.")
    # A key is held by a system: no second factor stands behind it.
    if isinstance(by, ApiKey) and permissions.is_privileged(person):
        raise PolicyError(
            f"{person.name} has a staff role, so no API key may change this address."
        )
    two_person_rule.check_holds_same_powers(person, by=by)


def _would_open_organisation(person: Person, *, by: Actor | None) -> bool:
    """Returns True where the unused account has power over mail of others.

    Staff could otherwise take the account of an administrator who was invited and never
    came, and give a second account rights to group mailboxes.
    """
    administered = Organisation.objects.filter(
        roles__person=person, roles__role=RoleName.ADMINISTRATOR
    )
    return any(
        is_outsider(by, organisation)
        and any(
            other.has_usable_password()
            for other in active_administrators(organisation).exclude(pk=person.pk)
        )
        for organisation in administered
    )


def _checked_address(person: Person, address: str) -> str:
    """Returns the parsed address, or "" to remove it. Raises PolicyError."""
    new = str(parse_address(address)) if address.strip() else ""
    if new == person.everyday_address:
        raise PolicyError("This is the address already.")
    if new.casefold() == person.address:
        raise PolicyError(
            "Choose an address outside the community. A person who cannot sign in "
            "cannot read mail here."
        )
    return new


def _create(
    person: Person, new: str, *, reason: str, is_delayed: bool, by: Actor | None
) -> RecoveryAddressChange:
    now = timezone.now()
    return RecoveryAddressChange.objects.create(
        person=person,
        old=person.everyday_address,
        new=new,
        reason=reason.strip(),
        is_first=not is_delayed and by != person,
        requested_by=_responsible_person(by),
        requested_by_name=str(by or ""),
        requested_at=now,
        effective_at=now + recovery_delay() if is_delayed else now,
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
    detail = {**_detail_of(change), "refused_by": name}
    record_action("person.address_change_refused", change.person, detail, by=by)


def _lock(change: RecoveryAddressChange) -> RecoveryAddressChange:
    """Reads the change again under a row lock: refusal and confirmation may race."""
    rows = RecoveryAddressChange.objects.select_for_update(of=("self",))
    return rows.select_related("person__organisation").get(pk=change.pk)


def _responsible_person(actor: Actor | None) -> Person | None:
    """Returns the actor as a person; for a key, the person who made it.

    So its maker cannot be the second person for what the key asked.
    """
    return actor.made_by if isinstance(actor, ApiKey) else actor


def _detail_of(change: RecoveryAddressChange) -> dict[str, object]:
    stated = {
        "old": change.old,
        "new": change.new,
        "requested_by": change.requested_by_name,
        "reason": change.reason,
        "effective_at": change.effective_at.isoformat(),
        "change": change.pk,
    }
    return {name: value for name, value in stated.items() if value}
