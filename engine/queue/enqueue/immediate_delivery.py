"""The short way: what is for a mailbox here is in it when the peer hears 250."""

from __future__ import annotations

from collections.abc import Sequence

from engine.mail.envelope import EnvelopeRecipient
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import summarise
from engine.queue.enqueue.accepted_message import MAILBOX, Incoming
from engine.routing import routes
from engine.routing.routes import Routes
from engine.storage import mailbox_delivery
from engine.storage.mailbox_delivery import Delivery

# Where in a batch a recipient stands: which message, which recipient of it.
Place = tuple[int, int]


def deliver(batch: Sequence[Incoming], content_ids: Sequence[int]) -> set[Place]:
    """Deliver into mailboxes, in the caller's transaction, and return who is served.

    Whoever cannot be served at once, has no room, or asked for a notice of success, is
    left to the runner. Two recipients who turn out to be one mailbox get one copy.
    """
    known = _routes()
    places: dict[Place, int] = {}
    deliveries: dict[tuple[int, int], Delivery] = {}
    for at, incoming in enumerate(batch):
        mailboxes = _mailboxes(incoming, known)
        if not mailboxes:
            continue
        # Ours may be the field that is too many: what was accepted is summed up as it is.
        summary = summarise(HeaderBlock.salvage(incoming.kept.header))
        for number, mailbox_id in mailboxes.items():
            places[at, number] = mailbox_id
            deliveries[at, mailbox_id] = Delivery(
                mailbox_id,
                content_ids[at],
                incoming.kept.size,
                incoming.sender,
                summary,
                incoming.kept.header,
            )
    ids = mailbox_delivery.deliver(list(deliveries.values()))
    full = {key for key, made in zip(deliveries, ids, strict=True) if made is None}
    return {place for place, box in places.items() if (place[0], box) not in full}


def _routes() -> Routes:
    """What is in memory: this runs while others wait for the transaction to end.

    Whoever it does not know yet is left to the runner, which looks again.
    """
    try:
        return routes.held()
    except RuntimeError:
        return routes.current()


def _mailboxes(incoming: Incoming, known: Routes) -> dict[int, int]:
    """Mailbox by the recipient's number, of those who can be served at once."""
    found: dict[int, int] = {}
    if incoming.release_at is not None:
        return found
    for number, recipient in enumerate(incoming.envelope.recipients):
        if incoming.destinations[number] == MAILBOX:
            mailbox_id = _mailbox(recipient, known)
            if mailbox_id is not None:
                found[number] = mailbox_id
    return found


def _mailbox(recipient: EnvelopeRecipient, known: Routes) -> int | None:
    if "SUCCESS" in recipient.notify:
        return None
    try:
        return known.resolve(recipient.address).mailbox_id
    except PermanentFailure:
        return None
