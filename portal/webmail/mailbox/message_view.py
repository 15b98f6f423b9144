from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from engine.mail.mime.file_names import from_title
from engine.storage import message_actions
from engine.storage.models import FolderRole
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.drafts.draft import token_of
from portal.webmail.mailbox import conversation, message_list, sender_trust
from portal.webmail.mailbox.list_options import names_recipients
from portal.webmail.rendering import parsed_message, plain_text
from portal.webmail.sidebar import sidebar

# Nothing runs, nothing is fetched, nothing is sent. Links open in a window of their
# own, which is an ordinary one.
CONTENT_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)

# Who is named at the top of a message, by which field.
PEOPLE = {"From": "From", "To": "To", "Cc": "Cc", "Bcc": "Bcc", "Reply to": "Reply-To"}


@uses_mail
@require_safe
def read(request: HttpRequest, message_id: int) -> HttpResponse:
    """One message, which counts as read from now on; a draft opens to be written on."""
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    token = token_of(message.message_id)
    if token is not None and message.folder.role == FolderRole.DRAFTS:
        return redirect("webmail:draft", mailbox_id=desk.mailbox.pk, token=token)
    if desk.can_write and not message.is_read:
        message_actions.mark_read([message], is_read=True)
        message.is_read = True
    opened = parsed_message.read(message)
    safe = opened.safe_html()
    as_text = safe is None or request.GET.get("view") == "text"
    beside = sidebar(desks, desk)
    near = message_list.around(message)
    place = near.index(message)
    text = opened.as_text(safe) if as_text else ""
    context = {
        "sidebar": beside,
        "desk": desk,
        "folder": message.folder,
        "targets": beside.targets(message.folder),
        "page_messages": near,
        **message_list.correspondents(
            near, sent=near if names_recipients(message.folder) else []
        ),
        "newer": near[place - 1] if place else None,
        "older": near[place + 1] if place + 1 < len(near) else None,
        "conversation": conversation.around(message),
        "standing": sender_trust.standing(message),
        "message": message,
        "reading": opened,
        "people": {label: opened.people(name) for label, name in PEOPLE.items()},
        "safe": safe,
        "shows_text": as_text,
        "text": plain_text.linked(text),
        "is_cut": opened.is_cut(text) if as_text else False,
    }
    return render(request, "webmail/mailbox/message.html", context)


@uses_mail
@require_safe
@xframe_options_sameorigin
def content(request: HttpRequest, message_id: int) -> HttpResponse:
    """A message's HTML alone, for the frame: under a policy that forbids everything."""
    _, message = desks_of(request).message(message_id)
    safe = parsed_message.read(message).safe_html()
    if safe is None:
        raise Http404
    page = render_to_string(
        "webmail/mailbox/message_html.html", {"safe": safe, "message": message}
    )
    response = HttpResponse(page)
    response["Content-Security-Policy"] = CONTENT_POLICY
    response["Referrer-Policy"] = "no-referrer"
    return response


@uses_mail
@require_safe
def part(request: HttpRequest, message_id: int, path: str) -> HttpResponse:
    """One file of a message; a warning first, where it may do more than show itself."""
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    found = parsed_message.read(message).part(path)
    if found is None:
        raise Http404
    shown, file = found
    if shown.is_active and "anyway" not in request.GET:
        context = {
            "sidebar": sidebar(desks, desk),
            "folder": message.folder,
            "message": message,
            "file": shown,
        }
        return render(request, "webmail/mailbox/active_file_warning.html", context)
    return attachment_response(file.data(), shown.name)


@uses_mail
@require_safe
def original(request: HttpRequest, message_id: int) -> HttpResponse:
    """The whole message as it came, as a file."""
    _, message = desks_of(request).message(message_id)
    name = from_title(message.subject) or "message"
    return attachment_response(parsed_message.read(message).raw, f"{name}.eml")


@uses_mail
@require_safe
def printed(request: HttpRequest, message_id: int) -> HttpResponse:
    """A message on paper: who, when, what, and which files came with it."""
    _, message = desks_of(request).message(message_id)
    opened = parsed_message.read(message)
    text = opened.as_text()
    context = {
        "message": message,
        "standing": sender_trust.standing(message),
        "reading": opened,
        "people": {label: opened.people(name) for label, name in PEOPLE.items()},
        "text": plain_text.linked(text),
        "is_cut": opened.is_cut(text),
    }
    return render(request, "webmail/mailbox/print.html", context)


@uses_mail
@require_safe
def source(request: HttpRequest, message_id: int) -> HttpResponse:
    """A message's header as it came, for those who look into where it was."""
    desks = desks_of(request)
    desk, message = desks.message(message_id)
    header = bytes(message.content.header).decode("utf-8", "replace")
    context = {
        "sidebar": sidebar(desks, desk),
        "folder": message.folder,
        "message": message,
        "header": header.replace("\r\n", "\n"),
    }
    return render(request, "webmail/mailbox/message_header.html", context)


def attachment_response(data: bytes, name: str) -> HttpResponse:
    """The bytes as a download, whatever type the sender claimed."""
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
