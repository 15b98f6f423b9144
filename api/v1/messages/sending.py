"""Sends a message from a mailbox of the organisation that an API key belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from engine.audit.record import record
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose, new_message_id
from engine.queue.enqueue import mailbox_submission
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.queue.models import Source
from engine.registry.models import ApiKey, Mailbox


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to send and its recipients."""

    to: Sequence[Address]
    subject: str
    text: str
    cc: Sequence[Address] = ()
    bcc: Sequence[Address] = ()
    html: str | None = None
    attachments: Sequence[Attachment] = ()
    in_reply_to: str = ""
    sender: Address | None = None
    """An address with a detail; the mailbox's own where None."""

    def written(self, sender: Mailbox, message_id: str) -> bytes:
        """Returns the message as recipients get it, without Bcc."""
        address = self.sender or Address.parse(sender.address)
        return compose(
            sender=NamedAddress(sender.name, address),
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

    @property
    def recipients(self) -> Recipients:
        """The recipients by header field."""
        return Recipients(_unnamed(self.to), _unnamed(self.cc), _unnamed(self.bcc))


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted message: its reference in traces, and the id of the copy in Sent."""

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
    """Queues the message, stores a copy in Sent, and calls `keep`, in one transaction.

    A message with the same `once` is accepted once; an empty `once` never matches.
    Raises MailError with the sentence to show. The virus scan may take seconds, so it
    runs before the transaction.
    """
    fingerprint = hashlib.sha256(f"api {by.pk} {once}".encode()).hexdigest()
    message_id = _message_id(sender, fingerprint if once else "")
    raw = letter.written(sender, message_id)
    prepared = mailbox_submission.prepare(
        raw,
        sender=sender,
        recipients=letter.recipients,
        source=Source.API,
        fingerprint=fingerprint if once else "",
        by=by,
        address=letter.sender,
    )
    with transaction.atomic():
        accepted = mailbox_submission.commit(prepared)
        if not accepted.is_repeat:
            _record(accepted.reference, sender=sender, by=by)
        sent = Sent(accepted.reference, accepted.copy.pk if accepted.copy else None)
        keep(sent)
    return sent


def _message_id(sender: Mailbox, fingerprint: str) -> str:
    """Returns a Message-ID that a repeated request gets again."""
    domain = Address.parse(sender.address).domain
    return f"<{fingerprint[:32]}@{domain}>" if fingerprint else new_message_id(domain)


def _record(reference: str, *, sender: Mailbox, by: ApiKey) -> None:
    record(
        "mailbox.sent_from",
        sender,
        organisation_key=sender.organisation_id,
        detail={"reference": reference},
        by=by,
    )


def _unnamed(addresses: Sequence[Address]) -> list[NamedAddress]:
    return [NamedAddress("", address) for address in addresses]
