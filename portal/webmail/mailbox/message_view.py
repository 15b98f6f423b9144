"""The page of one message, its parts, and its printable and raw forms."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from engine.mail.mime.file_names import from_title
from engine.storage import message_actions
from engine.storage.content import header as header_of
from engine.storage.models import FolderRole
from portal.emergency_access import readings
from portal.webmail.access import (
    accessible_mailboxes,
    readable_mailboxes,
    reads_mail,
    requires_mail,
)
from portal.webmail.drafts.draft import draft_token
from portal.webmail.mailbox import (
    conversation,
    list_place,
    message_list,
    recall,
    sender_trust,
    sent_messages,
)
from portal.webmail.mailbox.attachments_view import file_context
from portal.webmail.mailbox.list_options import names_recipients
from portal.webmail.organising import contexts
from portal.webmail.rendering import parsed_message
from portal.webmail.rendering.message_page import address_fields, frame, words
from portal.webmail.rendering.notices import notices_of
from portal.webmail.sidebar import sidebar


@reads_mail
@require_safe
def read(request: HttpRequest, message_id: int) -> HttpResponse:
    """Shows a message and marks it as read; redirects to the compose page for a draft."""
    mailboxes = readable_mailboxes(request)
    try:
        access, message = mailboxes.message(message_id)
    except Http404:
        return recall.explain_absence(request, mailboxes, message_id)
    readings.message(access.emergency, message, by=mailboxes.person)
    token = draft_token(message.message_id)
    is_written_here = token is not None and message.folder.role == FolderRole.DRAFTS
    if is_written_here and access.emergency is None:
        return redirect("webmail:draft", mailbox_id=access.mailbox.pk, token=token)
    if access.can_write and not message.is_read:
        message_actions.mark_read([message], is_read=True)
        message.is_read = True
    notes_use = access.emergency is None
    parsed = parsed_message.parse_stored(message, notes_use=notes_use)
    panel = sidebar(mailboxes, access)
    place = list_place.find_place(request, access, message)
    near = place.messages
    names = message_list.correspondents(
        near,
        sent=[one for one in near if names_recipients(one.folder)],
        opened=message,
    )
    context = {
        "sidebar": panel,
        "access": access,
        "folder": message.folder,
        "targets": panel.targets(message.folder),
        "place": place,
        "is_expanded": "expand" in request.GET,
        **names,
        # Under emergency access each message is opened by itself, so that the report
        # names everything whose text was shown.
        "conversation": conversation.load_conversation(
            message, [line.folder for line in panel.lines]
        )
        if access.emergency is None
        else None,
        "sender_trust": sender_trust.assess_sender(message, names["known"]),
        "message": message,
        "parsed": parsed,
        "address_fields": address_fields(parsed),
        "sent_at": parsed.sent_at(message.received_at),
        "notices": notices_of(parsed.reading),
        **contexts.of_message(panel, mailboxes, message),
        **(sent_messages.message_context(message) if not access.emergency else {}),
        **words(request, parsed, reverse("webmail:content", args=[message.pk])),
        # Under emergency access only what is opened is loaded, for the report names it.
        **(file_context(parsed.attachments) if not access.emergency else {}),
    }
    return render(request, "webmail/mailbox/message.html", context)


@reads_mail
@require_safe
@xframe_options_sameorigin
def content(request: HttpRequest, message_id: int) -> HttpResponse:
    """Serves the HTML of a message for the sandboxed frame."""
    mailboxes = readable_mailboxes(request)
    access, message = mailboxes.message(message_id)
    readings.frame(access.emergency, message, by=mailboxes.person)
    notes_use = access.emergency is None
    parsed = parsed_message.parse_stored(message, notes_use=notes_use)
    return frame(
        request, parsed, message.subject, reverse("webmail:read", args=[message.pk])
    )


@reads_mail
@require_safe
def part(request: HttpRequest, message_id: int, path: str) -> HttpResponse:
    """Downloads an attachment; asks first if a browser might execute it."""
    mailboxes = readable_mailboxes(request)
    access, message = mailboxes.message(message_id)
    notes_use = access.emergency is None
    found = parsed_message.parse_stored(message, notes_use=notes_use).part(path)
    if found is None:
        raise Http404
    shown, file = found
    if shown.is_active and "anyway" not in request.GET:
        context = {
            "sidebar": sidebar(mailboxes, access),
            "folder": message.folder,
            "message": message,
            "file": shown,
        }
        return render(request, "webmail/mailbox/active_file_warning.html", context)
    readings.attachment(access.emergency, message, shown.name, by=mailboxes.person)
    return attachment_response(file.data(), shown.name)


@requires_mail
@require_safe
def original(request: HttpRequest, message_id: int) -> HttpResponse:
    """Downloads the raw message as an .eml file."""
    _, message = accessible_mailboxes(request).message(message_id)
    name = from_title(message.subject) or "message"
    return attachment_response(parsed_message.parse_stored(message).raw, f"{name}.eml")


@requires_mail
@require_safe
def source(request: HttpRequest, message_id: int) -> HttpResponse:
    """Shows the header of a message as it arrived."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    header = header_of(message).decode("utf-8", "replace")
    context = {
        "sidebar": sidebar(mailboxes, access),
        "folder": message.folder,
        "message": message,
        "header": header.replace("\r\n", "\n"),
    }
    return render(request, "webmail/mailbox/message_header.html", context)


def attachment_response(data: bytes, name: str) -> HttpResponse:
    """Returns a download that no browser renders or executes, whatever its type."""
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
