from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from engine.storage.models import Message
from portal.webmail.access import Desk, Desks
from portal.webmail.compose import recipient_check, signatures
from portal.webmail.compose.compose_request import Writing, form_for
from portal.webmail.drafts.attachments import size_limit
from portal.webmail.drafts.draft import Draft
from portal.webmail.sidebar import sidebar


def new_page(
    request: HttpRequest,
    desks: Desks,
    desk: Desk,
    draft: Draft,
    *,
    answers: int | None = None,
) -> HttpResponse:
    """The page to write on, for a draft that was never kept."""
    form = form_for(desks, desk, draft, answers=answers)
    return write_page(request, Writing(desks, desk, draft, form), draft)


def write_page(
    request: HttpRequest,
    writing: Writing,
    draft: Draft,
    *,
    warnings: Sequence[str] = (),
    checked: bool = False,
) -> HttpResponse:
    """The page to write a message on.

    `warnings` are to be read before it is sent; `checked` says that somebody asked who
    the recipients are.
    """
    form = writing.form
    context = {
        "sidebar": sidebar(writing.desks, writing.desk),
        "writing": writing,
        "draft": draft,
        "form": form,
        "files": writing.files,
        "can_keep": writing.home is not None,
        "files_limit": size_limit(),
        "warnings": warnings,
        "checked": checked,
        "version": draft.version or "",
        "saved_at": _saved_at(draft),
        "recipients": recipient_check.look_at(
            draft,
            viewer=writing.desks.person,
            sender=form.sender_address,
            desk=writing.desk,
        ),
        "signatures": signatures.of(form.desk.mailbox),
        "opens_copies": bool(form["cc"].value() or form["bcc"].value())
        or bool(form["cc"].errors or form["bcc"].errors),
    }
    return render(request, "webmail/compose/compose.html", context)


def _saved_at(draft: Draft) -> datetime | None:
    """When the draft was last kept."""
    rows = Message.objects.filter(pk=draft.version or 0)
    return rows.values_list("received_at", flat=True).first()
