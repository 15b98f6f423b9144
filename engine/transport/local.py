"""Into the mailboxes kept here: the one way out that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.mail.message import Summary
from engine.mail.reply import OK, TRY_LATER
from engine.registry.routes import Routes
from engine.storage import delivery
from engine.storage.models import Content
from engine.transport.base import Outcome, OutcomeState

DELIVERED = OK.saying("Delivered into the mailbox")


@dataclass(frozen=True, slots=True)
class Placement:
    """A message for one recipient who has, by the routes, a mailbox here."""

    recipient_id: int
    address: Address
    content: Content
    sender: str


def deliver(placements: Sequence[Placement], known: Routes) -> list[Outcome]:
    """Put messages into inboxes, in the caller's transaction, with few statements.

    Two recipients who turn out to be one mailbox get one copy of a message.
    """
    deliveries: dict[tuple[int, int], delivery.Delivery] = {}
    summaries: dict[int, Summary] = {}
    outcomes = []
    for placement in placements:
        try:
            mailbox_id = known.resolve(placement.address).mailbox_id
        except PermanentFailure as refusal:
            outcomes.append(
                Outcome(placement.recipient_id, OutcomeState.FAILED, refusal.reply)
            )
            continue
        if mailbox_id is None:
            outcomes.append(
                Outcome(placement.recipient_id, OutcomeState.DEFERRED, TRY_LATER)
            )
            continue
        content = placement.content
        if content.pk not in summaries:
            summaries[content.pk] = delivery.summary_of(content)
        deliveries[content.pk, mailbox_id] = delivery.Delivery(
            mailbox_id,
            content.pk,
            content.size,
            placement.sender,
            summaries[content.pk],
        )
        outcomes.append(
            Outcome(placement.recipient_id, OutcomeState.DELIVERED, DELIVERED)
        )
    delivery.deliver(list(deliveries.values()))
    return outcomes
