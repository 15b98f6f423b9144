"""The page of a message that is attached to another message."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from engine.storage.models import Message
from portal.emergency_access import readings
from portal.webmail.access import MailboxAccess, readable_mailboxes, reads_mail
from portal.webmail.rendering import parsed_message
from portal.webmail.rendering.message_page import address_fields, frame, words
from portal.webmail.rendering.notices import notices_of
from portal.webmail.rendering.parsed_message import ParsedMessage
from portal.webmail.sidebar import sidebar


@reads_mail
@require_safe
def read(request: HttpRequest, message_id: int, path: str) -> HttpResponse:
    """Shows an attached message as a message is shown, with its own attachments."""
    mailboxes = readable_mailboxes(request)
    access, message = mailboxes.message(message_id)
    inner = _attached(access, message, path)
    readings.attachment(access.emergency, message, path, by=mailboxes.person)
    context = {
        "sidebar": sidebar(mailboxes, access),
        "folder": message.folder,
        "message": message,
        "path": path,
        "parsed": inner,
        "notices": notices_of(inner.reading),
        "subject": inner.header.text("Subject"),
        "date": inner.header.text("Date"),
        "address_fields": address_fields(inner),
        **words(request, inner, _url("attached_content", message, path)),
    }
    return render(request, "webmail/mailbox/attached_message.html", context)


@reads_mail
@require_safe
@xframe_options_sameorigin
def content(request: HttpRequest, message_id: int, path: str) -> HttpResponse:
    """Serves the words of an attached message for the sandboxed frame."""
    mailboxes = readable_mailboxes(request)
    access, message = mailboxes.message(message_id)
    inner = _attached(access, message, path)
    readings.frame(access.emergency, message, path, by=mailboxes.person)
    subject = inner.header.text("Subject")
    return frame(request, inner, subject, _url("attached", message, path))


def _attached(access: MailboxAccess, message: Message, path: str) -> ParsedMessage:
    """Returns the message attached at a path. Raises Http404 where there is none."""
    notes_use = access.emergency is None
    inner = parsed_message.parse_stored(message, notes_use=notes_use).attached(path)
    if inner is None:
        raise Http404
    return inner


def _url(name: str, message: Message, path: str) -> str:
    return reverse(f"webmail:{name}", args=[message.pk, path])
