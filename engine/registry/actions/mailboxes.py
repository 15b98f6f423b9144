from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from engine.audit.record import record
from engine.registry.actor import Actor
from engine.registry.addresses import claimed
from engine.registry.display_names import check_can_bear
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Grant,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.registry.verbs import apply, verb


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
    """Add a team's mailbox, kept here whatever the organisation's account type.

    Mail for its address no longer goes to the organisation's own server.
    """
    if organisation.account_type == AccountType.TRUSTED_DOMAIN:
        raise PolicyError(
            f"{organisation} is a trusted domain: its people do not sign in here, "
            "so nobody could read the mailbox."
        )
    check_can_bear(fields.get("name", ""), organisation)
    mailbox = Mailbox.objects.create(
        address=claimed(organisation, address),
        kind=MailboxKind.GROUP,
        organisation=organisation,
        **fields,
    )
    _record("mailbox.added", mailbox, by=by)
    return mailbox


@verb
def edit(
    mailbox: Mailbox, *, by: Actor | None, **changes: Unpack[MailboxFields]
) -> None:
    """Change a mailbox's name, quota or place in the directory."""
    if changes.get("name", mailbox.name) != mailbox.name:
        check_can_bear(changes["name"], mailbox.organisation)
    changed = apply(mailbox, changes)
    if changed:
        _record("mailbox.edited", mailbox, changed, by=by)


@verb
def suspend(mailbox: Mailbox, *, reason: str, by: Actor | None) -> None:
    """Stop the mail of one mailbox; what is queued for it is held."""
    mailbox.is_active = False
    mailbox.save(update_fields=["is_active"])
    _record("mailbox.suspended", mailbox, {"reason": reason}, by=by)


@verb
def resume(mailbox: Mailbox, *, reason: str = "", by: Actor | None) -> None:
    """Let the mail of a suspended mailbox flow again."""
    mailbox.is_active = True
    mailbox.save(update_fields=["is_active"])
    _record("mailbox.resumed", mailbox, {"reason": reason} if reason else None, by=by)


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
    """Say what a person may do with a group mailbox; each right stands alone."""
    if mailbox.kind != MailboxKind.GROUP:
        raise PolicyError("Only a group mailbox can be shared.")
    if person.organisation_id != mailbox.organisation_id:
        raise PolicyError(f"{person.name} is not in {mailbox.organisation}.")
    rights = {"can_read": can_read, "can_write": can_write, "can_send": can_send}
    made, _ = Grant.objects.update_or_create(
        mailbox=mailbox, person=person, defaults=rights
    )
    _record("mailbox.granted", mailbox, {"person": person.address, **rights}, by=by)
    return made


@verb
def revoke(mailbox: Mailbox, person: Person, *, by: Actor | None) -> None:
    """Take every right to a group mailbox away from a person."""
    gone, _ = Grant.objects.filter(mailbox=mailbox, person=person).delete()
    if gone:
        _record("mailbox.revoked", mailbox, {"person": person.address}, by=by)


def _record(
    event: str,
    mailbox: Mailbox,
    detail: Mapping[str, object] | None = None,
    *,
    by: Actor | None,
) -> None:
    record(
        event, mailbox, organisation_key=mailbox.organisation_id, detail=detail, by=by
    )
