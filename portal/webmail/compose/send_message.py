"""Sending what was written, and taking it back in time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from engine import clock
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, address_field
from engine.mail.envelope import Envelope
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import Incoming
from engine.queue.enqueue.local_submission import prepare
from engine.queue.models import Source
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from engine.storage.mailbox_delivery import folder
from engine.storage.models import FolderRole, Message
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_lock import take_turn
from portal.webmail.models import Departure


class SentAlreadyError(Exception):
    """The draft went out before: another window, or a second press of the button."""


@dataclass(frozen=True, slots=True)
class Addressees:
    """Who gets a message."""

    to: list[NamedAddress]
    cc: list[NamedAddress]
    bcc: list[NamedAddress]

    @property
    def all(self) -> list[NamedAddress]:
        return [*self.to, *self.cc, *self.bcc]

    def envelope(self, sender: Address) -> Envelope:
        """Everybody once, whichever fields they stand in."""
        by_key = {n.address.key: n.address for n in self.all}
        return Envelope.simple(sender, *by_key.values())


@dataclass(frozen=True, slots=True)
class Sending:
    """A message on its way: from which mailbox, and where its draft was kept."""

    draft: Draft
    addressees: Addressees
    sender: Mailbox
    drafts: Mailbox | None
    """None for who has no place for drafts: nothing can be taken back then."""
    wait: timedelta = timedelta(0)
    more: Sequence[Attachment] = ()
    """Files that were never kept with the draft."""

    def message(self) -> bytes:
        kept = (
            attachments.attachments(self.drafts, self.draft.token)
            if self.drafts
            else []
        )
        return self.draft.as_message(
            self.sender,
            to=self.addressees.to,
            cc=self.addressees.cc,
            attachments=[*kept, *self.more],
        )

    @property
    def fingerprint(self) -> str:
        """The same for the same draft from the same mailbox, whatever window sends it."""
        named = f"webmail {self.sender.pk} {self.draft.token}"
        return hashlib.sha256(named.encode()).hexdigest()


def is_sent(draft: Draft, *, sender: Mailbox) -> bool:
    """True once the draft went out, so that sending it twice does nothing."""
    return Message.objects.filter(
        mailbox=sender, folder__role=FolderRole.SENT, message_id=draft.message_id
    ).exists()


def send(sending: Sending, *, by: Person) -> Departure:
    """Accept the message, keep a copy in Sent and end the draft: all of it, or nothing.

    Raises MailError with the sentence to show, and SentAlreadyError. The scan may take
    seconds, so nothing is locked meanwhile.
    """
    raw = sending.message()
    leaves_at = clock.now() + sending.wait
    incoming = prepare(
        raw,
        envelope=sending.addressees.envelope(Address.parse(sending.sender.address)),
        source=Source.WEBMAIL,
        by=by,
        fingerprint=sending.fingerprint,
        release_at=leaves_at if sending.wait and sending.drafts else None,
    )
    return _commit(sending, incoming, _with_bcc(raw, sending.addressees.bcc), by=by)


@transaction.atomic
def _commit(
    sending: Sending, incoming: Incoming, copy: bytes, *, by: Person
) -> Departure:
    take_turn(sending.sender)
    if is_sent(sending.draft, sender=sending.sender):
        raise SentAlreadyError
    reference = commit.commit([incoming])[0]
    sent = message_actions.append(
        folder(sending.sender, FolderRole.SENT), copy, is_read=True
    )
    if sending.drafts is not None:
        draft_store.discard(sending.draft, mailbox=sending.drafts)
    return Departure.objects.create(
        message=sent,
        person=by,
        reference=reference,
        leaves_at=incoming.release_at or clock.now(),
    )


def mark_answered(draft: Draft, *, mailbox: Mailbox) -> None:
    """Mark what the draft answers, where it stands in the mailbox."""
    if draft.in_reply_to:
        answered = Message.objects.filter(
            mailbox=mailbox, message_id=draft.in_reply_to
        ).exclude(folder__role=FolderRole.SENT)
        for message in answered[:10]:
            message_actions.mark_answered(message)


def _with_bcc(raw: bytes, bcc: list[NamedAddress]) -> bytes:
    """The sender's copy also names those whom nobody else sees."""
    if not bcc:
        return raw
    header, body = split(raw)
    fields = HeaderBlock.parse(header).fields
    return HeaderBlock((address_field("Bcc", bcc), *fields)).to_bytes() + body
