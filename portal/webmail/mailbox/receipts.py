"""Receipts that senders ask for: the reader is asked, and answers once for a message."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from engine.mail import mdn
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.mail.header import HeaderBlock
from engine.queue.enqueue import commit as queue_commit
from engine.queue.enqueue import local_submission
from engine.queue.models import Source
from engine.registry.models import Mailbox, Person
from engine.routing import policies, routes
from engine.storage import content
from engine.storage.models import FolderRole, Message
from portal.webmail import recipient_input
from portal.webmail.access import MailboxAccess, accessible_mailboxes, requires_mail
from portal.webmail.drafts.options import RECEIPT_FIELD, classification_in
from portal.webmail.models import ReceiptAnswer
from portal.webmail.rendering.parsed_message import ParsedMessage

# Where messages are that others sent and that the reader did not write off.
_NOT_RECEIVED = (FolderRole.SENT, FolderRole.DRAFTS, FolderRole.JUNK)


@dataclass(frozen=True, slots=True)
class Marks:
    """What the page says of a message's marks."""

    classification: str
    asks_for_receipt: bool


def marks_of(message: Message, parsed: ParsedMessage, access: MailboxAccess) -> Marks:
    """Returns a message's marks, and whether this reader is to be asked for a receipt."""
    asks = (
        access.emergency is None
        and access.can_send
        and message.folder.role not in _NOT_RECEIVED
        and _asker(parsed) is not None
        and not ReceiptAnswer.objects.filter(message=message).exists()
    )
    return Marks(classification_in(parsed.header), asks)


@requires_mail
@require_POST
def answer(request: HttpRequest, message_id: int) -> HttpResponse:
    """Sends the receipt, or notes that the reader does not want to."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    parsed = ParsedHeader(HeaderBlock.salvage(content.header(message)))
    to = _asker(parsed)
    if to is None or not access.can_send or message.folder.role in _NOT_RECEIVED:
        raise Http404
    if request.POST.get("do") != "send":
        ReceiptAnswer.objects.get_or_create(
            message=message, defaults={"is_sent": False}
        )
        messages.success(request, "No receipt will be sent.")
        return redirect("webmail:read", message_id=message.pk)
    try:
        _send(message, access.mailbox, to, parsed.header, by=mailboxes.person)
    except MailError as error:
        messages.warning(
            request, f"No receipt was sent: {recipient_input.reply_text(error)}."
        )
    else:
        messages.success(request, "The receipt was sent.")
    return redirect("webmail:read", message_id=message.pk)


@dataclass(frozen=True, slots=True)
class ParsedHeader:
    """The header of a message alone."""

    header: HeaderBlock


def _send(
    message: Message, mailbox: Mailbox, to: Address, header: HeaderBlock, *, by: Person
) -> None:
    """Records the answer and sends the receipt, both or neither; once for a message.

    Raises MailError where the author cannot be written to from this mailbox.
    """
    known, own = routes.current(), Address.parse(mailbox.address)
    policies.check_can_reach(known, known.resolve(to), sender=own)
    raw = mdn.compose_displayed(
        reader=NamedAddress(mailbox.name, own),
        to=NamedAddress("", to),
        original=header,
        reporting_ua=f"{settings.POSTERN.smtp_name}; Postern",
    )
    # Under the null sender: a receipt must never be answered (RFC 8098 §3).
    envelope = Envelope.simple(None, to)
    prepared = local_submission.prepare(
        raw, envelope=envelope, source=Source.WEBMAIL, by=by
    )
    with transaction.atomic():
        _, is_first = ReceiptAnswer.objects.get_or_create(
            message=message, defaults={"is_sent": True}
        )
        if is_first:
            queue_commit.commit_messages([prepared])


def _asker(parsed: ParsedMessage | ParsedHeader) -> Address | None:
    """Returns who asks for a receipt: the author alone, since others could be anybody."""
    asked = recipient_input.parse_recipients(parsed.header.text(RECEIPT_FIELD))
    authors = recipient_input.parse_recipients(parsed.header.text("From"))
    if len(asked.recipients) != 1 or asked.errors:
        return None
    address = asked.recipients[0].address
    keys = {one.address.key for one in authors.recipients}
    return address if address.key in keys else None
