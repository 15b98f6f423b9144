"""Endpoints of the compose page's scripts: autosave, attachments, recipient check.

Each has a counterpart on the page itself that works without JavaScript.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from portal.webmail.access import requires_mail
from portal.webmail.compose import pre_send_check
from portal.webmail.compose.compose_request import ComposeRequest, load_compose_request
from portal.webmail.compose.compose_views import CHANGED_ELSEWHERE
from portal.webmail.drafts import attachments, draft_store, pictures
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_store import (
    ClosedError,
    DraftConflictError,
    SentAlreadyError,
)
from portal.webmail.models import DraftFile
from portal.webmail.organising import collision
from portal.webmail.request_ids import parse_id


@requires_mail
@require_POST
def autosave(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Saves the draft; as one of its own, where another window changed or deleted it.

    Answers 409 with a sentence if it was sent, or deleted by the window that saves late.
    """
    compose_request = load_compose_request(request, mailbox_id, token)
    if draft_store.is_sent(
        compose_request.kept, sender=compose_request.form.sender_mailbox
    ):
        return JsonResponse({"problem": str(SentAlreadyError())}, status=409)
    if not compose_request.form.is_valid() or compose_request.home is None:
        return JsonResponse(
            {"problem": "The draft was not saved. Press Save draft to see why."},
            status=400,
        )
    try:
        saved, forked = _saved(request, compose_request)
    except ClosedError as closed:
        return JsonResponse({"problem": str(closed)}, status=409)
    others = collision.begin(
        compose_request.access, saved.in_reply_to, by=compose_request.mailboxes.person
    )
    return JsonResponse({"version": saved.version, "others": others, **forked})


def _saved(
    request: HttpRequest, compose_request: ComposeRequest
) -> tuple[Draft, dict[str, object]]:
    """Saves the draft; also returns what to answer where it is one of its own now.

    Raises ClosedError.
    """
    try:
        return compose_request.save(), {}
    except DraftConflictError:
        saved = compose_request.save_as_new_draft()
    return saved, {"forked": _forked(request, compose_request, saved)}


def _forked(
    request: HttpRequest, compose_request: ComposeRequest, saved: Draft
) -> dict[str, object]:
    """Returns what a page needs that goes on with a draft of its own."""
    before = {one.picture_id: one for one in compose_request.files if one.is_picture}
    own = replace(compose_request, kept=saved)
    return {
        "url": compose_request.draft_url(saved),
        "said": CHANGED_ELSEWHERE,
        "files": render_to_string(
            "webmail/compose/attachment_list.html",
            {"files": own.attached(is_rich=bool(saved.html)), "errors": []},
            request=request,
        ),
        "links": render_to_string(
            "webmail/linked_files/draft_list.html", {"linked": own.linked}, request
        ),
        "pictures": {
            pictures.url(before[one.picture_id]): pictures.url(one)
            for one in own.files
            if one.picture_id in before
        },
    }


@requires_mail
@require_POST
def attach(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Adds attachments; answers with the attachment list and what was refused."""
    compose_request = load_compose_request(request, mailbox_id, token)
    form = compose_request.form
    if form.is_valid():
        compose_request.add_files()
    return render(
        request,
        "webmail/compose/attachment_list.html",
        {
            "files": _attached(request, compose_request),
            "errors": form.errors.get("attachments", []),
        },
        status=422 if form.errors else 200,
    )


@requires_mail
@require_POST
def detach(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Removes an attachment; answers with the attachment list."""
    compose_request = load_compose_request(request, mailbox_id, token)
    file_id = parse_id(request.POST.get("file", ""))
    if compose_request.home and file_id is not None:
        attachments.remove(file_id, mailbox=compose_request.home, token=token)
        draft_store.update_attachment_flag(token, mailbox=compose_request.home)
    return render(
        request,
        "webmail/compose/attachment_list.html",
        {"files": _attached(request, compose_request)},
    )


@requires_mail
@require_POST
def recipients(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Answers with the recipient check of the typed recipients."""
    compose_request = load_compose_request(request, mailbox_id, token)
    found = pre_send_check.recipients_of(
        compose_request.form.edited(),
        viewer=compose_request.mailboxes.person,
        sender=compose_request.form.sender_address,
        access=compose_request.access,
    )
    return render(
        request, "webmail/compose/recipient_check.html", {"recipients": found}
    )


@requires_mail
@require_POST
def check_before_sending(
    request: HttpRequest, mailbox_id: int, token: UUID
) -> HttpResponse:
    """Answers with what to confirm before sending, or with 204 if there is nothing.

    Also with 204 where the message cannot be sent: sending says why.
    """
    compose_request = load_compose_request(request, mailbox_id, token)
    form = compose_request.form
    recipients = form.recipients() if form.is_valid() else None
    if recipients is None or form.errors:
        return HttpResponse(status=204)
    warnings = pre_send_check.warnings_for(
        compose_request,
        form.edited(),
        confirmed=request.POST.getlist("confirmed"),
    )
    if not warnings:
        return HttpResponse(status=204)
    return render(request, "webmail/compose/warnings.html", {"warnings": warnings})


def _attached(request: HttpRequest, compose_request: ComposeRequest) -> list[DraftFile]:
    """Returns the attachments to list: the editor shows pictures in the text itself."""
    return compose_request.attached(is_rich="rich" in request.POST)
