"""Actions on group mailboxes, and on the grants that share them."""

from __future__ import annotations

from typing import TypedDict, Unpack

from engine.registry.addresses.allocation import available_key
from engine.registry.addresses.display_names import check_member_name
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Actor,
    Grant,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.registry.permissions.own_administrators import (
    administers,
    check_may_open_mail,
)
from engine.registry.verbs import apply, record_action, verb


class MailboxFields(TypedDict, total=False):
    """What may be changed about a mailbox."""

    name: str
    is_published: bool
    quota_bytes: int


@verb
def add_group(
    organisation: Organisation,
    *,
    address: str,
    by: Actor | None,
    **fields: Unpack[MailboxFields],
) -> Mailbox:
    """Adds a group mailbox, kept here whatever the organisation's account type.

    Mail for its address no longer goes to the organisation's own server. Raises
    PolicyError for a trusted domain, for a misleading name, and if the address is not
    free.
    """
    if organisation.account_type == AccountType.TRUSTED_DOMAIN:
        raise PolicyError(
            f"{organisation} is a trusted domain: its people do not sign in here, "
            "so none of them could read the mailbox."
        )
    check_member_name(fields.get("name", ""), organisation)
    mailbox = Mailbox.objects.create(
        address=available_key(organisation, address),
        kind=MailboxKind.GROUP,
        organisation=organisation,
        **fields,
    )
    record_action("mailbox.added", mailbox, by=by)
    return mailbox


@verb
def edit(
    mailbox: Mailbox, *, by: Actor | None, **changes: Unpack[MailboxFields]
) -> None:
    """Changes a mailbox's name, quota or listing in the directory. Raises PolicyError."""
    if changes.get("name", mailbox.name) != mailbox.name:
        check_member_name(changes["name"], mailbox.organisation)
    changed = apply(mailbox, changes)
    if changed:
        record_action("mailbox.edited", mailbox, changed, by=by)


@verb
def suspend(mailbox: Mailbox, *, reason: str, by: Actor | None) -> None:
    """Stops a mailbox's mail; queued mail for it is held."""
    mailbox.is_active = False
    mailbox.save(update_fields=["is_active"])
    record_action("mailbox.suspended", mailbox, reason=reason, by=by)


@verb
def resume(mailbox: Mailbox, *, reason: str = "", by: Actor | None) -> None:
    """Lets the mail of a suspended mailbox flow again."""
    mailbox.is_active = True
    mailbox.save(update_fields=["is_active"])
    record_action("mailbox.resumed", mailbox, reason=reason, by=by)


@verb
def grant(
    mailbox: Mailbox,
    person: Person,
    *,
    can_read: bool = False,
    can_write: bool = False,
    can_send: bool = False,
    by: Actor | None,
) -> Grant:
    """Sets a person's rights to a group mailbox; each right stands alone.

    Replaces the rights that the person had. Raises PolicyError for a personal mailbox,
    for a person of another organisation, for oneself except as its administrator, and
    for new rights except by an administrator, where there is one: staff open no mailbox,
    by themselves or through others.
    """
    if mailbox.kind != MailboxKind.GROUP:
        raise PolicyError("Only a group mailbox can be shared.")
    if person.organisation_id != mailbox.organisation_id:
        raise PolicyError(f"{person.name} is not in {mailbox.organisation}.")
    if by == person and not administers(person, mailbox.organisation):
        raise PolicyError(
            "You cannot give yourself rights to a mailbox. Ask an administrator of "
            f"{mailbox.organisation}."
        )
    rights = {"can_read": can_read, "can_write": can_write, "can_send": can_send}
    held = Grant.objects.filter(mailbox=mailbox, person=person).first()
    if any(given and not getattr(held, name, False) for name, given in rights.items()):
        check_may_open_mail(mailbox.organisation, by=by)
    made, _ = Grant.objects.update_or_create(
        mailbox=mailbox, person=person, defaults=rights
    )
    record_action(
        "mailbox.granted", mailbox, {"person": person.address, **rights}, by=by
    )
    return made


@verb
def revoke(mailbox: Mailbox, person: Person, *, by: Actor | None) -> None:
    """Revokes all of a person's rights to a group mailbox."""
    deleted, _ = Grant.objects.filter(mailbox=mailbox, person=person).delete()
    if deleted:
        record_action("mailbox.revoked", mailbox, {"person": person.address}, by=by)
