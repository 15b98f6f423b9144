"""The compose page: saves, sends and deletes a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from engine.linked_files.models import LinkedFile
from engine.mail.errors import MailError
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.queue.sending_rates.rate_limits import RateExceededError
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail.access import requires_mail
from portal.webmail.compose import (
    draft_edits,
    expired_session,
    pre_send_check,
    send_message,
    signatures,
    text_templates,
    undo_send,
)
from portal.webmail.compose.compose_page import compose_page
from portal.webmail.compose.compose_request import (
    ComposeRequest,
    EditDraft,
    load_compose_request,
)
from portal.webmail.compose.send_message import FilesChangedError
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_store import ClosedError, DraftConflictError
from portal.webmail.mailbox import undo_move
from portal.webmail.organising import collision
from portal.webmail.request_ids import parse_id

# What buttons do with the text besides saving it.
EDITS: Mapping[str, EditDraft] = {
    "format": draft_edits.formatted,
    "plain": draft_edits.plain,
    "plain-anyway": draft_edits.plain,
    "unquote": draft_edits.without_quote,
}
CHANGED_ELSEWHERE = (
    "This message was changed or sent in another window. What you write here is "
    "saved as a separate draft. Compare the two before you send one of them."
)


@expired_session.keep_posted_text
@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Shows a draft; on POST, saves, sends or deletes it."""
    compose_request = load_compose_request(request, mailbox_id, token)
    if request.method != "POST":
        return _show(request, compose_request)
    if draft_store.is_sent(
        compose_request.kept, sender=compose_request.form.sender_mailbox
    ):
        messages.info(request, str(draft_store.SentAlreadyError()))
        return redirect("webmail:mailbox", mailbox_id=mailbox_id)
    do = request.POST.get("do", "save")
    # Not "send": Ctrl+Enter must not send what is asked about.
    if do in ("send", "send-anyway"):
        return _send(request, compose_request)
    if do == "discard":
        return _discard(request, compose_request)
    if pre_send_check.is_mend(do):
        return _mend(request, compose_request, do)
    return _save(request, compose_request, do)


def _mend(
    request: HttpRequest, compose_request: ComposeRequest, do: str
) -> HttpResponse:
    """Changes the recipients as asked, and shows what else there is to look at."""
    form = compose_request.form
    if not form.is_valid():
        return compose_page(request, compose_request, form.edited())
    try:
        saved = compose_request.save(lambda draft: pre_send_check.mended(draft, do))
    except DraftConflictError:
        return _save_conflict(request, compose_request)
    if compose_request.home is None:
        return compose_page(request, compose_request, saved)
    return redirect(f"{compose_request.draft_url(saved)}?review")


def _show(request: HttpRequest, compose_request: ComposeRequest) -> HttpResponse:
    """Shows the draft, after restoring text that was posted to an expired session."""
    posted = expired_session.take_posted_text(request)
    if posted is None:
        kept = compose_request.kept
        is_reviewed = "review" in request.GET
        return compose_page(
            request,
            compose_request,
            kept,
            warnings=pre_send_check.warnings_for(compose_request, kept)
            if is_reviewed
            else (),
            checked="checked" in request.GET,
        )
    say = messages.warning if posted.file_names else messages.success
    say(request, posted.notice)
    return _save(request, compose_request.with_posted(posted.text), "restore")


def _discard(request: HttpRequest, compose_request: ComposeRequest) -> HttpResponse:
    """Deletes the draft and offers an undo."""
    collision.end(
        compose_request.access,
        compose_request.kept.in_reply_to,
        by=compose_request.mailboxes.person,
    )
    deleted = _move_to_deleted(compose_request)
    if deleted is None:
        messages.success(request, "Draft deleted.")
        return redirect("webmail:mailbox", mailbox_id=compose_request.access.mailbox.pk)
    trash = folder(deleted.mailbox, FolderRole.TRASH)
    place = reverse("webmail:folder", args=[deleted.folder.pk])
    undo_move.remember(request, [deleted], targets=[trash], place=place)
    messages.success(request, f"Draft moved to {trash.name}.")
    return redirect(place)


def _move_to_deleted(compose_request: ComposeRequest) -> Message | None:
    """Saves what is on the page, then moves the draft to Deleted."""
    if compose_request.home is None:
        return None
    if compose_request.form.is_valid() and not compose_request.form.edited().is_empty:
        # After a conflict, the other window's version is the one to delete.
        with suppress(DraftConflictError):
            compose_request.save()
    return draft_store.move_to_deleted(
        compose_request.kept, mailbox=compose_request.home
    )


def _save(
    request: HttpRequest, compose_request: ComposeRequest, do: str
) -> HttpResponse:
    """Saves the draft and performs what else was asked."""
    form = compose_request.form
    if not form.is_valid() or compose_request.home is None:
        return compose_page(
            request, compose_request, form.edited(), checked=do == "check"
        )
    try:
        edited = compose_request.save(_edit(request, compose_request, do))
    except DraftConflictError:
        return _save_conflict(request, compose_request)
    file_id = parse_id(do.removeprefix("remove-"))
    if do.startswith("remove-") and file_id is not None:
        attachments.remove(file_id, mailbox=compose_request.home, token=edited.token)
    compose_request.unlink(do)
    compose_request.add_files()
    if form.errors:
        return compose_page(request, compose_request, edited)
    if do == "save":
        messages.success(request, "Draft saved.")
    if do == "plain" and edited.html:
        return redirect(f"{compose_request.draft_url(edited)}?plain#plain")
    return redirect(_next_url(do, compose_request.draft_url(edited)))


def _next_url(do: str, draft_url: str) -> str:
    """Returns the URL to continue at after saving."""
    if do == "link":
        return f"{draft_url}links/"
    if do == "find":
        return f"{draft_url}people/"
    return f"{draft_url}?checked#recipients" if do == "check" else draft_url


def _save_conflict(
    request: HttpRequest, compose_request: ComposeRequest
) -> HttpResponse:
    """Keeps both versions: another window saved or sent the draft meanwhile."""
    try:
        own = compose_request.save_as_new_draft()
    except ClosedError as closed:
        messages.info(request, str(closed))
        return redirect("webmail:mailbox", mailbox_id=compose_request.access.mailbox.pk)
    messages.warning(request, CHANGED_ELSEWHERE)
    return redirect(compose_request.draft_url(own))


def _edit(
    request: HttpRequest, compose_request: ComposeRequest, do: str
) -> EditDraft | None:
    """Returns the edit of the text that a button asks for."""
    if do == "sign":
        return _signature(request, compose_request)
    if do == "template":
        return _template(request, compose_request)
    if do == "plain":
        return _plain_unless_formatted
    return EDITS.get(do)


def _plain_unless_formatted(draft: Draft) -> Draft:
    """Returns plain text where it loses nothing; otherwise the writer is asked."""
    return draft if draft_edits.has_formatting(draft) else draft_edits.plain(draft)


def _template(
    request: HttpRequest, compose_request: ComposeRequest
) -> EditDraft | None:
    """Returns the edit that inserts the chosen template into the text."""
    chosen = parse_id(request.POST.get("template", ""))
    person = compose_request.mailboxes.person
    found = text_templates.of(person).filter(pk=chosen or 0).first()
    if found is None:
        return None
    text = found.text
    return lambda draft: draft_edits.with_text(draft, text)


def _signature(request: HttpRequest, compose_request: ComposeRequest) -> EditDraft:
    """Returns the edit that puts the chosen signature into the text."""
    chosen = request.POST.get("signature", "")
    sender = compose_request.form.sender_mailbox
    found = signatures.signatures_of(sender).filter(name=chosen).first()
    return lambda draft: draft_edits.with_signature(draft, sender, found)


def _send(request: HttpRequest, compose_request: ComposeRequest) -> HttpResponse:
    """Sends the message; on an error, saves the draft and shows what is wrong."""
    form = compose_request.form
    recipients = form.recipients() if form.is_valid() else None
    if recipients is None:
        return compose_page(request, compose_request, form.edited())
    try:
        edited = compose_request.save()
    except DraftConflictError:
        return _save_conflict(request, compose_request)
    compose_request.add_files()
    linked = compose_request.linked
    compose_request.check_linked(linked)
    warnings = (
        []
        if form.errors
        else pre_send_check.warnings_for(
            compose_request,
            edited,
            confirmed=request.POST.getlist("confirmed"),
        )
    )
    if form.errors or warnings:
        return compose_page(request, compose_request, edited, warnings=warnings)
    return _send_now(request, compose_request, edited, recipients, linked)


def _send_now(
    request: HttpRequest,
    compose_request: ComposeRequest,
    edited: Draft,
    recipients: Recipients,
    linked: Sequence[LinkedFile],
) -> HttpResponse:
    try:
        sent = send_message.send(
            compose_request.outgoing(edited, recipients, linked),
            by=compose_request.mailboxes.person,
        )
    except MailError as error:
        compose_request.form.refused(error, has_files=bool(compose_request.file_sizes))
        page = compose_page(request, compose_request, edited)
        if isinstance(error, RateExceededError):
            page.status_code = HTTPStatus.TOO_MANY_REQUESTS
            page["Retry-After"] = str(error.retry_after)
        return page
    except FilesChangedError as changed:
        compose_request.form.add_error("attachments", str(changed))
        return compose_page(request, compose_request, edited)
    except ClosedError as closed:
        messages.info(request, str(closed))
    else:
        send_message.mark_answered(
            edited, access=compose_request.access, sent=sent.scheduled
        )
        undo_send.announce(request, sent.scheduled)
        if sent.no_reminder:
            messages.warning(
                request, f"You will not be reminded of it. {sent.no_reminder}"
            )
    return redirect("webmail:mailbox", mailbox_id=compose_request.access.mailbox.pk)
