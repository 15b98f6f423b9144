"""Delivers to mailboxes hosted here inside the transaction that accepts the message.

A second transaction for each hosted recipient would double the disk flushes. So mail for
a hosted mailbox is readable by the time the peer receives 250.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.mail.envelope import EnvelopeRecipient
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import summarise
from engine.queue.enqueue.accepted_message import MAILBOX, AcceptedMessage
from engine.routing import routes
from engine.routing.routes import Routes
from engine.storage import mailbox_delivery
from engine.storage.mailbox_delivery import Delivery

# A recipient's position in a batch: index of the message, index of the recipient in it.
Position = tuple[int, int]
# The ids of a mailbox, and of the message that was delivered into it.
Stored = tuple[int, int]


def deliver(
    batch: Sequence[AcceptedMessage], content_ids: Sequence[int]
) -> dict[Position, Stored]:
    """Delivers into mailboxes, in the caller's transaction, and returns the recipients
    served, with what each of them got.

    Recipients that cannot be served now, whose mailbox is full or whose organisation's
    key is not at hand, or who asked for a success DSN, are left to the runner. Two
    recipients that resolve to one mailbox get one copy.
    """
    # A recipient that they do not know yet is left to the runner, which looks again.
    known = routes.held_or_current()
    positions: dict[Position, int] = {}
    deliveries: dict[tuple[int, int], Delivery] = {}
    for at, accepted in enumerate(batch):
        mailboxes = _mailboxes(accepted, known)
        if not mailboxes:
            continue
        # Salvages, because our own Received field may push the header over a limit, and
        # an accepted message must be delivered whatever its header looks like.
        summary = summarise(HeaderBlock.salvage(accepted.kept.header))
        for number, mailbox_id in mailboxes.items():
            positions[at, number] = mailbox_id
            deliveries[at, mailbox_id] = Delivery(
                mailbox_id,
                content_ids[at],
                accepted.kept.size,
                accepted.sender,
                summary,
                accepted.kept.header,
                accepted.kept.has_attachments,
                accepted.kept.key,
                accepted.reference,
                accepted.envelope.requires_tls,
            )
    # Without waiting for a KMS, because other sessions wait for this commit.
    ids = mailbox_delivery.deliver(list(deliveries.values()), waits=False)
    stored = {key: made for key, made in zip(deliveries, ids, strict=True) if made}
    return {
        position: (mailbox_id, stored[position[0], mailbox_id])
        for position, mailbox_id in positions.items()
        if (position[0], mailbox_id) in stored
    }


def _mailboxes(accepted: AcceptedMessage, known: Routes) -> dict[int, int]:
    """Maps recipient numbers to mailbox ids, for recipients that can be served now."""
    found: dict[int, int] = {}
    if accepted.release_at is not None or accepted.hold:
        return found
    for number, recipient in enumerate(accepted.envelope.recipients):
        if accepted.destinations[number] == MAILBOX:
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
