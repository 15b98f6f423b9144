"""What the page asks for while somebody writes on it: saving, files, who people are.

Scripts alone use these doors; each has its counterpart on the page itself.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from portal.webmail.access import uses_mail
from portal.webmail.compose import recipient_check, send_message
from portal.webmail.compose.compose_request import begin
from portal.webmail.compose.compose_views import CHANGED_ELSEWHERE, SENT_ALREADY
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft_store import ChangedElsewhereError


@uses_mail
@require_POST
def autosave(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Save the words; 409 with a sentence where another window was quicker."""
    writing = begin(request, mailbox_id, token)
    if send_message.is_sent(writing.kept, sender=writing.form.desk.mailbox):
        return JsonResponse({"problem": SENT_ALREADY}, status=409)
    if not writing.form.is_valid() or writing.home is None:
        return JsonResponse({"problem": "This cannot be saved as it is."}, status=400)
    try:
        saved = writing.save()
    except ChangedElsewhereError:
        return JsonResponse({"problem": CHANGED_ELSEWHERE}, status=409)
    return JsonResponse({"version": saved.version})


@uses_mail
@require_POST
def attach(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Take files; answer with the list of files as it is now, and what was refused."""
    writing = begin(request, mailbox_id, token)
    form = writing.form
    if form.is_valid():
        writing.add_files()
    return render(
        request,
        "webmail/compose/attachment_list.html",
        {"files": writing.files, "errors": form.errors.get("attachments", [])},
        status=422 if form.errors else 200,
    )


@uses_mail
@require_POST
def detach(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Take one file off; answer with the list of files as it is now."""
    writing = begin(request, mailbox_id, token)
    chosen = request.POST.get("file", "")
    if writing.home and chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
        attachments.remove(int(chosen), mailbox=writing.home, token=token)
        draft_store.mark_files(token, mailbox=writing.home)
    return render(
        request, "webmail/compose/attachment_list.html", {"files": writing.files}
    )


@uses_mail
@require_POST
def recipients(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Who the typed recipients are."""
    writing = begin(request, mailbox_id, token)
    found = recipient_check.look_at(
        writing.form.edited(),
        viewer=writing.desks.person,
        sender=writing.form.sender_address,
        desk=writing.desk,
    )
    return render(
        request, "webmail/compose/recipient_check.html", {"recipients": found}
    )
