"""Delivers to the mailboxes hosted here: the one transport that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.encryption.models import COMMUNITY
from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.mail.message import Summary
from engine.mail.smtp_replies import MAILBOX_FULL, OK, TRY_LATER, Reply
from engine.routing.routes import Routes
from engine.storage import content, content_keys, mailbox_delivery
from engine.storage.models import Content
from engine.transport.parcel import Outcome, OutcomeState

DELIVERED = OK.saying("Delivered into the mailbox")


@dataclass(frozen=True, slots=True)
class Placement:
    """A message for one recipient whose mailbox, by the routes, is here."""

    recipient_id: int
    address: Address
    content: Content
    sender: str
    content_holder: int = COMMUNITY
    reference: str = ""
    requires_tls: bool = False


def deliver(placements: Sequence[Placement], known: Routes) -> list[Outcome]:
    """Delivers messages to inboxes, in the caller's transaction, with few statements.

    Two recipients that resolve to one mailbox get one copy of a message.
    """
    mailboxes = [_mailbox(placement.address, known) for placement in placements]
    deliveries: dict[tuple[int, int], mailbox_delivery.Delivery] = {}
    known_facts: dict[int, tuple[Summary, bytes, bool]] = {}
    content_keys.load(placements)
    for placement, mailbox in zip(placements, mailboxes, strict=True):
        if isinstance(mailbox, int):
            row = placement.content
            if row.pk not in known_facts:
                header = content.header(placement)
                summary = mailbox_delivery.summary_of(header)
                has_attachments = content.has_attachments(placement)
                known_facts[row.pk] = summary, header, has_attachments
            deliveries[row.pk, mailbox] = mailbox_delivery.Delivery(
                mailbox,
                row.pk,
                row.size,
                placement.sender,
                *known_facts[row.pk],
                content_keys.key_of(placement),
                placement.reference,
                placement.requires_tls,
            )
    ids = mailbox_delivery.deliver(list(deliveries.values()))
    made = dict(zip(deliveries, ids, strict=True))
    return [
        _outcome(placement, mailbox, made)
        for placement, mailbox in zip(placements, mailboxes, strict=True)
    ]


def _mailbox(address: Address, known: Routes) -> int | Reply:
    """Returns the id of the mailbox that an address leads to, or a reply if none does."""
    try:
        return known.resolve(address).mailbox_id or TRY_LATER
    except PermanentFailure as refusal:
        return refusal.reply


def stored_as(mailbox_id: int, message_id: int) -> dict[str, int]:
    """Returns the detail of a delivery in the trace: what it put where, by ids."""
    return {"mailbox": mailbox_id, "message": message_id}


def _outcome(
    placement: Placement,
    mailbox: int | Reply,
    made: Mapping[tuple[int, int], int | None],
) -> Outcome:
    recipient = placement.recipient_id
    if isinstance(mailbox, Reply):
        is_final = mailbox.is_permanent
        state = OutcomeState.FAILED if is_final else OutcomeState.DEFERRED
        return Outcome(recipient, state, mailbox)
    message_id = made[placement.content.pk, mailbox]
    if message_id is None:
        return Outcome(recipient, OutcomeState.DEFERRED, MAILBOX_FULL)
    if message_id == mailbox_delivery.LOCKED:
        return Outcome(recipient, OutcomeState.DEFERRED, TRY_LATER)
    detail = stored_as(mailbox, message_id)
    return Outcome(recipient, OutcomeState.DELIVERED, DELIVERED, detail)
