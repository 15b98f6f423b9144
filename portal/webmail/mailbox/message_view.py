"""The page of one message, its parts, and its printable and raw forms."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from engine.mail.mime.file_names import from_title
from engine.storage import message_actions
from engine.storage.content import header as header_of
from engine.storage.models import FolderRole
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.drafts.draft import draft_token
from portal.webmail.mailbox import conversation, message_list, sender_trust
from portal.webmail.mailbox.list_options import names_recipients
from portal.webmail.rendering import parsed_message, plain_text
from portal.webmail.sidebar import sidebar

# Blocks scripts, requests and form submissions. Links open in a new tab, which is not
# sandboxed.
CONTENT_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)

# Header fields shown at the top of a message, by label.
ADDRESS_FIELDS = {
    "From": "From",
    "To": "To",
    "Cc": "Cc",
    "Bcc": "Bcc",
    "Reply to": "Reply-To",
}


@requires_mail
@require_safe
def read(request: HttpRequest, message_id: int) -> HttpResponse:
    """Shows a message and marks it as read; redirects to the compose page for a draft."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    token = draft_token(message.message_id)
    if token is not None and message.folder.role == FolderRole.DRAFTS:
        return redirect("webmail:draft", mailbox_id=access.mailbox.pk, token=token)
    if access.can_write and not message.is_read:
        message_actions.mark_read([message], is_read=True)
        message.is_read = True
    parsed = parsed_message.parse_stored(message)
    safe = parsed.safe_html()
    as_text = safe is None or request.GET.get("view") == "text"
    panel = sidebar(mailboxes, access)
    near = message_list.neighbours(message)
    place = near.index(message)
    text = parsed.as_text(safe) if as_text else ""
    context = {
        "sidebar": panel,
        "access": access,
        "folder": message.folder,
        "targets": panel.targets(message.folder),
        "page_messages": near,
        **message_list.correspondents(
            near, sent=near if names_recipients(message.folder) else []
        ),
        "newer": near[place - 1] if place else None,
        "older": near[place + 1] if place + 1 < len(near) else None,
        "conversation": conversation.load_conversation(message),
        "sender_trust": sender_trust.assess_sender(message),
        "message": message,
        "parsed": parsed,
        "address_fields": {
            label: parsed.address_field(name) for label, name in ADDRESS_FIELDS.items()
        },
        "safe": safe,
        "shows_text": as_text,
        "text": plain_text.linked(text),
        "is_truncated": parsed.is_truncated(text) if as_text else False,
    }
    return render(request, "webmail/mailbox/message.html", context)


@requires_mail
@require_safe
@xframe_options_sameorigin
def content(request: HttpRequest, message_id: int) -> HttpResponse:
    """Serves the HTML of a message for the sandboxed frame."""
    _, message = accessible_mailboxes(request).message(message_id)
    safe = parsed_message.parse_stored(message).safe_html()
    if safe is None:
        raise Http404
    page = render_to_string(
        "webmail/mailbox/message_html.html", {"safe": safe, "message": message}
    )
    response = HttpResponse(page)
    response["Content-Security-Policy"] = CONTENT_POLICY
    response["Referrer-Policy"] = "no-referrer"
    return response


@requires_mail
@require_safe
def part(request: HttpRequest, message_id: int, path: str) -> HttpResponse:
    """Downloads an attachment; asks first if a browser might execute it."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    found = parsed_message.parse_stored(message).part(path)
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
def printed(request: HttpRequest, message_id: int) -> HttpResponse:
    """Shows a message for printing."""
    _, message = accessible_mailboxes(request).message(message_id)
    parsed = parsed_message.parse_stored(message)
    text = parsed.as_text()
    context = {
        "message": message,
        "sender_trust": sender_trust.assess_sender(message),
        "parsed": parsed,
        "address_fields": {
            label: parsed.address_field(name) for label, name in ADDRESS_FIELDS.items()
        },
        "text": plain_text.linked(text),
        "is_truncated": parsed.is_truncated(text),
    }
    return render(request, "webmail/mailbox/print.html", context)


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
