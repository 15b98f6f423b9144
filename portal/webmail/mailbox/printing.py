"""A message, or a whole conversation, for printing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engine.storage.models import Message
from portal.webmail.access import (
    AccessibleMailboxes,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.mailbox import conversation, sender_trust
from portal.webmail.rendering import parsed_message, plain_text
from portal.webmail.rendering.message_page import FileList, address_fields
from portal.webmail.rendering.notices import notices_of


@requires_mail
@require_safe
def printed(request: HttpRequest, message_id: int) -> HttpResponse:
    """Shows a message for printing, or with `?all=1` the conversation, oldest first."""
    mailboxes = accessible_mailboxes(request)
    _, message = mailboxes.message(message_id)
    is_whole = "all" in request.GET
    others = _others(mailboxes, message) if is_whole else []
    ordered = sorted([message, *others], key=lambda one: one.pk)
    start = "" if is_whole else request.GET.get("from", "")
    context = {
        "message": message,
        "is_whole": is_whole,
        "sheets": [_sheet(one, start) for one in ordered],
        "left_out": is_whole and len(others) == conversation.MESSAGES_PRINTED,
    }
    return render(request, "webmail/mailbox/print.html", context)


def _others(mailboxes: AccessibleMailboxes, message: Message) -> list[Message]:
    folders = message.mailbox.folders.all()
    return conversation.load_to_print(message, folders)


def _sheet(message: Message, start: str) -> dict[str, object]:
    parsed = parsed_message.parse_stored(message)
    return {
        "message": message,
        "sender_trust": sender_trust.assess_sender(message),
        "address_fields": address_fields(parsed),
        "sent_at": parsed.sent_at(message.received_at),
        "notices": notices_of(parsed.reading),
        "files": FileList.of(parsed.all_files),
        "inner": parsed.inner_messages(),
        **plain_text.page(parsed.whole_text(), start),
    }
