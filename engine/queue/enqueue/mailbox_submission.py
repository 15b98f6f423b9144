"""Sends a message from a mailbox: what webmail and the API have in common.

`prepare` checks and scans, which may take seconds, outside every transaction. `commit`
accepts the message and stores the sender's copy in the caller's transaction, together
with rows of the caller's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import address_field
from engine.mail.envelope import Envelope
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.queue.enqueue import commit as queue_commit
from engine.queue.enqueue import local_refusals, local_submission
from engine.queue.enqueue.accepted_message import AcceptedMessage, new_reference
from engine.queue.models import Source
from engine.registry.models import Actor, Mailbox
from engine.routing import policies, routes
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of a message by header field."""

    to: Sequence[NamedAddress]
    cc: Sequence[NamedAddress] = ()
    bcc: Sequence[NamedAddress] = ()

    @property
    def all(self) -> list[NamedAddress]:
        """Every recipient, in the order of the fields."""
        return [*self.to, *self.cc, *self.bcc]

    def envelope(self, sender: Address) -> Envelope:
        """Returns an envelope with each address once, whichever fields name it."""
        by_key = {named.address.key: named.address for named in self.all}
        return Envelope.simple(sender, *by_key.values())


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """A checked and scanned message, and the copy that its sender keeps."""

    sender: Mailbox
    incoming: AcceptedMessage
    copy: bytes


@dataclass(frozen=True, slots=True)
class SentMessage:
    """An accepted message: its reference in every trace, and the copy in Sent.

    `copy` is None for a repeat whose copy was deleted since.
    """

    reference: str
    copy: Message | None
    is_repeat: bool = False


def prepare(
    raw: bytes,
    *,
    sender: Mailbox,
    recipients: Recipients,
    source: Source,
    by: Actor,
    fingerprint: str = "",
    release_at: datetime | None = None,
    address: Address | None = None,
) -> PreparedMessage:
    """Checks and scans a message without a Bcc field, composed from that mailbox.

    `address` is what it is sent from: the mailbox's own where None, else `name+detail`.
    A message that comes twice with one `fingerprint` is accepted once. Nothing is
    delivered before `release_at`. Raises MailError with the sentence to show.
    """
    own = Address.parse(sender.address)
    envelope = recipients.envelope(address or own)
    if address is not None:
        with local_refusals.traced(new_reference(), envelope, source, by=by):
            policies.check_is_of_mailbox(
                routes.current(), mailbox_id=sender.pk, own=own, address=address
            )
    incoming = local_submission.prepare(
        raw,
        envelope=envelope,
        source=source,
        by=by,
        fingerprint=fingerprint,
        release_at=release_at,
    )
    return PreparedMessage(sender, incoming, _with_bcc(raw, recipients.bcc))


def commit(prepared: PreparedMessage) -> SentMessage:
    """Accepts the message and stores the sender's copy, in the caller's transaction."""
    # A repeat gets the reference of the first, whose copy is in Sent already.
    reference = queue_commit.commit_messages([prepared.incoming])[0]
    if reference == prepared.incoming.reference:
        return SentMessage(reference, store_copy(prepared, reference))
    return SentMessage(reference, _stored_copy(prepared), is_repeat=True)


def store_copy(prepared: PreparedMessage, reference: str) -> Message:
    """Stores the sender's copy in Sent, as read, with the reference that was accepted."""
    sent = folder(prepared.sender, FolderRole.SENT)
    return message_actions.append(
        sent,
        prepared.copy,
        is_read=True,
        has_attachments=prepared.incoming.kept.has_attachments,
        reference=reference,
    )


def _stored_copy(prepared: PreparedMessage) -> Message | None:
    header = HeaderBlock.parse(split(prepared.copy)[0])
    rows = Message.objects.filter(
        mailbox=prepared.sender, message_id=header.text("Message-ID")
    )
    return rows.order_by("pk").first()


def _with_bcc(raw: bytes, bcc: Sequence[NamedAddress]) -> bytes:
    """Returns the sender's copy, which alone names the Bcc recipients (RFC 5322 §3.6.3)."""
    if not bcc:
        return raw
    header, body = split(raw)
    fields = HeaderBlock.parse(header).fields
    return HeaderBlock((address_field("Bcc", bcc), *fields)).to_bytes() + body
