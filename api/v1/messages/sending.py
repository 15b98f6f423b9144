"""Sending from a mailbox of the key's organisation: written here, or written before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from engine.audit.record import record
from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import (
    Attachment,
    address_field,
    compose,
    new_message_id,
)
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.queue.enqueue import commit
from engine.queue.enqueue.local_submission import prepare
from engine.queue.models import Source
from engine.registry.models import ApiKey, Mailbox
from engine.storage import message_actions
from engine.storage.mailbox_delivery import folder
from engine.storage.models import FolderRole, Message


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent, and to whom."""

    to: Sequence[Address]
    subject: str
    text: str
    cc: Sequence[Address] = ()
    bcc: Sequence[Address] = ()
    html: str | None = None
    attachments: Sequence[Attachment] = ()
    in_reply_to: str = ""

    def written(self, sender: Mailbox, message_id: str) -> bytes:
        """The message as recipients get it."""
        return compose(
            sender=NamedAddress(sender.name, Address.parse(sender.address)),
            to=_unnamed(self.to),
            cc=_unnamed(self.cc),
            subject=self.subject,
            text=self.text,
            html=self.html,
            attachments=self.attachments,
            in_reply_to=self.in_reply_to,
            references=self.in_reply_to,
            message_id=message_id,
        )

    def envelope(self, sender: Mailbox) -> Envelope:
        """Everybody once."""
        everybody = {a.key: a for a in (*self.to, *self.cc, *self.bcc)}
        return Envelope.simple(Address.parse(sender.address), *everybody.values())


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of it: its name in every trace, and the copy in Sent."""

    reference: str
    id: int | None


def send(
    letter: Letter,
    *,
    sender: Mailbox,
    once: str,
    keep: Callable[[Sent], None],
    by: ApiKey,
) -> Sent:
    """Accept the message, keep a copy in Sent, and call `keep` in the same transaction.

    What comes twice with the same `once` is taken once. Raises MailError with the
    sentence to show. The scan may take seconds, so nothing is locked meanwhile.
    """
    fingerprint = hashlib.sha256(f"api {by.pk} {once}".encode()).hexdigest()
    message_id = _message_id(sender, fingerprint if once else "")
    raw = letter.written(sender, message_id)
    if len(raw) > settings.POSTERN.message_size_limit:
        raise PermanentFailure(smtp_replies.TOO_BIG)
    incoming = prepare(
        raw,
        envelope=letter.envelope(sender),
        source=Source.API,
        fingerprint=fingerprint if once else "",
        by=by,
    )
    with transaction.atomic():
        reference = commit.commit([incoming])[0]
        if reference == incoming.reference:
            sent = _noted(_with_bcc(raw, letter.bcc), reference, sender=sender, by=by)
        else:
            sent = Sent(reference, _copy_of(message_id, sender))
        keep(sent)
    return sent


def _message_id(sender: Mailbox, fingerprint: str) -> str:
    """The same for a message that comes twice."""
    domain = Address.parse(sender.address).domain
    return f"<{fingerprint[:32]}@{domain}>" if fingerprint else new_message_id(domain)


def _noted(copy: bytes, reference: str, *, sender: Mailbox, by: ApiKey) -> Sent:
    kept = message_actions.append(folder(sender, FolderRole.SENT), copy, is_read=True)
    record(
        "mailbox.sent_from",
        sender,
        organisation_key=sender.organisation_id,
        detail={"reference": reference},
        by=by,
    )
    return Sent(reference, kept.pk)


def _copy_of(message_id: str, sender: Mailbox) -> int | None:
    """The copy in Sent, unless somebody has removed it since."""
    rows = Message.objects.filter(mailbox=sender, message_id=message_id)
    return rows.order_by("pk").values_list("pk", flat=True).first()


def _unnamed(addresses: Sequence[Address]) -> list[NamedAddress]:
    return [NamedAddress("", address) for address in addresses]


def _with_bcc(raw: bytes, bcc: Sequence[Address]) -> bytes:
    """The sender's copy also names those whom nobody else sees."""
    if not bcc:
        return raw
    header, body = split(raw)
    fields = HeaderBlock.parse(header).fields
    hidden = address_field("Bcc", _unnamed(bcc))
    return HeaderBlock((hidden, *fields)).to_bytes() + body
