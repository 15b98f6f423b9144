"""Composes an entry as a message in the ticket's thread, and submits it."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment as File
from engine.mail.composer import compose
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue.local_submission import submit
from engine.queue.models import Source
from portal.helpdesk import attachments, ticket_links
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.outgoing import automatic_texts
from portal.helpdesk.status import EntryKind

log = logging.getLogger(__name__)

MAX_QUOTED_LINES = 40


def sender_name() -> str:
    """Returns the name under which the helpdesk writes."""
    return f"{settings.POSTERN.community_name} helpdesk"


def send(entry_id: int) -> None:
    """Submits an entry to the mail queue once, however often this runs.

    Where an earlier run died after the queue accepted the message, the queue recognises
    its fingerprint. A permanent refusal is stored on the entry for the agent to see; any
    other error is raised, and the job is retried.
    """
    entry = Entry.objects.to_send().select_related("ticket").filter(pk=entry_id).first()
    if entry is None:
        return
    try:
        reference = _submitted(entry)
    except (PermanentFailure, InvalidAddressError) as refusal:
        log.warning("entry %d cannot be sent: %s", entry_id, refusal)
        Entry.objects.filter(pk=entry_id).update(failure=str(refusal)[:500])
        return
    Entry.objects.filter(pk=entry_id).update(reference=reference)


def _submitted(entry: Entry) -> str:
    recipient = Address.parse(entry.ticket.requester_address)
    return submit(
        _composed(entry, recipient),
        envelope=Envelope.simple(ticket_links.helpdesk_address(), recipient),
        source=Source.SYSTEM,
        by=None,
        fingerprint=f"helpdesk-entry-{entry.pk}",
    )


def _composed(entry: Entry, recipient: Address) -> bytes:
    ticket = entry.ticket
    name = sender_name()
    references = _references(entry)
    extra = {"Reply-To": str(NamedAddress(name, ticket_links.reply_address(ticket)))}
    if entry.kind == EntryKind.NOTICE:
        extra["Auto-Submitted"] = "auto-replied"  # RFC 3834 §5
    return compose(
        sender=NamedAddress(name, ticket_links.helpdesk_address()),
        to=[
            NamedAddress(
                "" if entry.kind == EntryKind.NOTICE else ticket.requester_name,
                recipient,
            )
        ],
        subject=_subject(entry),
        text=_text(entry),
        attachments=[
            File(row.name, row.content_type, attachments.read(row))
            for row in entry.attachments.select_related("content")
        ],
        in_reply_to=references[-1] if references else "",
        references=" ".join(references),
        extra_headers=extra,
        message_id=entry.message_id,
        date=entry.created_at,
    )


def _subject(entry: Entry) -> str:
    """Returns the subject with the ticket number.

    An automatic message to an unconfirmed address repeats nothing of the question, so
    that nobody can send texts of their own to third parties through us.
    """
    ticket = entry.ticket
    if entry.kind == EntryKind.NOTICE and not ticket.is_confirmed:
        return f"[{ticket.number}] Your question"
    return f"[{ticket.number}] {ticket.subject}"


def _references(entry: Entry) -> list[str]:
    before = entry.ticket.entries.public().filter(pk__lt=entry.pk)
    ids = before.exclude(message_id="").values_list("message_id", flat=True)
    return list(ids)


def _text(entry: Entry) -> str:
    pieces = [entry.text, f"-- \n{automatic_texts.footer(entry.ticket)}"]
    if entry.kind == EntryKind.REPLY:
        pieces.append(_quoted(entry))
    return "\n\n".join(filter(None, pieces)) + "\n"


def _quoted(entry: Entry) -> str:
    """Returns the requester's latest text as a quotation, shortened."""
    asked = entry.ticket.entries.filter(kind=EntryKind.REQUEST, pk__lt=entry.pk).last()
    if asked is None:
        return ""
    lines = [f"> {line}" for line in asked.text.splitlines()]
    if len(lines) > MAX_QUOTED_LINES:
        lines = [*lines[:MAX_QUOTED_LINES], "> […]"]
    return "\n".join([_attribution(asked, entry.ticket), *lines])


def _attribution(asked: Entry, ticket: Ticket) -> str:
    """Returns the line above a quotation, with the address: anyone can choose a name."""
    moment = date_format(timezone.localtime(asked.created_at), "j F Y, H:i")
    who = f"{asked.author_name} <{asked.author_address}>"
    if not ticket.is_confirmed:
        who = f"{who} (name and address not confirmed)"
    return f"On {moment}, {who} wrote:"
