"""What a person does with a message that they write."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import address_field
from engine.mail.envelope import Envelope
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.queue.models import Source
from engine.queue.submit import submit
from engine.registry.models import Mailbox, Person
from engine.storage import actions, content
from engine.storage.delivery import folder
from engine.storage.models import FolderRole, Message
from portal.webmail.draft import Draft, read_draft


@dataclass(frozen=True, slots=True)
class Addressees:
    """Who gets a message."""

    to: list[NamedAddress]
    cc: list[NamedAddress]
    bcc: list[NamedAddress]

    def envelope(self, sender: Address) -> Envelope:
        """Everybody once, whichever fields they stand in."""
        by_key = {n.address.key: n.address for n in (*self.to, *self.cc, *self.bcc)}
        return Envelope.simple(sender, *by_key.values())


def find_draft(mailbox: Mailbox, draft: Draft) -> Draft | None:
    """The draft as it was last kept in the mailbox, if it was."""
    kept = _kept(mailbox, draft)
    return read_draft(draft.token, content.read(kept.content)) if kept else None


def is_sent(draft: Draft, *, sender: Mailbox) -> bool:
    """True once the draft went out, so that sending it twice does nothing."""
    return Message.objects.filter(
        mailbox=sender, folder__role=FolderRole.SENT, message_id=draft.message_id
    ).exists()


@transaction.atomic
def save_draft(draft: Draft, *, mailbox: Mailbox, sender: Mailbox) -> Message:
    """Keep the draft in the mailbox's Drafts, in place of what was kept before."""
    discard_draft(draft, mailbox=mailbox)
    drafts = folder(mailbox, FolderRole.DRAFTS)
    return actions.append(drafts, draft.as_draft(sender), is_read=True, is_draft=True)


@transaction.atomic
def discard_draft(draft: Draft, *, mailbox: Mailbox) -> None:
    """Forget what was kept of the draft."""
    kept = _kept(mailbox, draft)
    if kept is not None:
        actions.erase([kept.pk])


def send(
    draft: Draft,
    addressees: Addressees,
    *,
    sender: Mailbox,
    drafts: Mailbox | None,
    by: Person,
) -> str:
    """Send the draft, keep a copy in the sender's Sent, and return its reference.

    Raises MailError with the sentence to show. The scan may take seconds, so nothing is
    locked meanwhile; the copy and the end of the draft come together afterwards.
    """
    raw = draft.as_message(sender, to=addressees.to, cc=addressees.cc)
    envelope = addressees.envelope(Address.parse(sender.address))
    reference = submit(raw, envelope=envelope, source=Source.WEBMAIL, by=by)
    with transaction.atomic():
        sent = folder(sender, FolderRole.SENT)
        actions.append(sent, _with_bcc(raw, addressees.bcc), is_read=True)
        if drafts is not None:
            discard_draft(draft, mailbox=drafts)
    return reference


def mark_answered(draft: Draft, *, mailbox: Mailbox) -> None:
    """Mark what the draft answers, where it stands in the mailbox."""
    if draft.in_reply_to:
        answered = Message.objects.filter(
            mailbox=mailbox, message_id=draft.in_reply_to
        ).exclude(folder__role=FolderRole.SENT)
        for message in answered[:10]:
            actions.mark_answered(message)


def _kept(mailbox: Mailbox, draft: Draft) -> Message | None:
    return (
        Message.objects.filter(
            mailbox=mailbox,
            folder__role=FolderRole.DRAFTS,
            message_id=draft.message_id,
        )
        .select_related("content")
        .first()
    )


def _with_bcc(raw: bytes, bcc: list[NamedAddress]) -> bytes:
    """The sender's copy also names those whom nobody else sees."""
    if not bcc:
        return raw
    header, body = split(raw)
    fields = HeaderBlock.parse(header).fields
    return HeaderBlock((address_field("Bcc", bcc), *fields)).to_bytes() + body
