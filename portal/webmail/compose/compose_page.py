"""Renders the compose page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from engine.linked_files import limits
from engine.queue.preflight import message_size
from engine.storage.models import Message
from portal.webmail.access import AccessibleMailboxes, MailboxAccess
from portal.webmail.compose import (
    draft_edits,
    pre_send_check,
    signatures,
    text_templates,
)
from portal.webmail.compose.compose_request import ComposeRequest, compose_form
from portal.webmail.compose.pre_send_check import Warned
from portal.webmail.drafts import pictures
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.options import classifications, needs_classification
from portal.webmail.organising import collision, reminders
from portal.webmail.sidebar import sidebar


def new_compose_page(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    draft: Draft,
    *,
    answers: int | None = None,
) -> HttpResponse:
    """Renders the compose page for a draft that was never saved."""
    form = compose_form(mailboxes, access, draft, answers=answers)
    return compose_page(request, ComposeRequest(mailboxes, access, draft, form), draft)


def compose_page(
    request: HttpRequest,
    compose_request: ComposeRequest,
    draft: Draft,
    *,
    warnings: Sequence[Warned] = (),
    checked: bool = False,
) -> HttpResponse:
    """Renders the compose page.

    `warnings` must be confirmed before the message is sent; `checked` means that the
    user asked for the recipient check.
    """
    form = compose_request.form
    context = {
        "sidebar": sidebar(compose_request.mailboxes, compose_request.access),
        "compose_request": compose_request,
        "draft": draft,
        "form": form,
        "files": compose_request.attached(is_rich=bool(draft.html)),
        "html": pictures.shown(draft.html, compose_request.home, draft.token),
        "asks_plain": "plain" in request.GET and bool(draft.html),
        "has_quote": draft_edits.has_quote(draft),
        "can_save_draft": compose_request.home is not None,
        "files_limit": message_size.files_limit(),
        "linked": compose_request.linked,
        "link_limit": limits.file_limit(),
        "link_days": settings.POSTERN.linked_file_days,
        "warnings": warnings,
        "classifications": classifications(),
        "needs_classification": needs_classification(form.sender_mailbox.organisation),
        "templates": text_templates.of(compose_request.mailboxes.person),
        "writes_first": bool(draft.in_reply_to) and not (warnings or form.errors),
        "checked": checked,
        "version": draft.version or "",
        "saved_at": _saved_at(draft),
        "recipients": pre_send_check.recipients_of(
            draft,
            viewer=compose_request.mailboxes.person,
            sender=form.sender_address,
            access=compose_request.access,
        ),
        "follow_up_days": reminders.DAYS,
        "follow_up": draft.follow_up,
        "others_writing": collision.begin(
            compose_request.access,
            draft.in_reply_to,
            by=compose_request.mailboxes.person,
        ),
        "signatures": signatures.signatures_of(form.sender_mailbox),
        "shows_copies": bool(form["cc"].value() or form["bcc"].value())
        or bool(form["cc"].errors or form["bcc"].errors),
    }
    return render(request, "webmail/compose/compose.html", context)


def _saved_at(draft: Draft) -> datetime | None:
    """Returns when the draft was last saved."""
    rows = Message.objects.filter(pk=draft.version or 0)
    return rows.values_list("received_at", flat=True).first()
