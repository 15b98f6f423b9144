from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.webmail.access import Desk, Desks
from portal.webmail.draft import TYPED, Draft
from portal.webmail.forms import WriteForm, files_limit
from portal.webmail.sidebar import sidebar


def form_for(
    desks: Desks, desk: Desk, draft: Draft, *, answers: int | None = None
) -> WriteForm:
    """The form with what the draft holds. Raises PermissionDenied for who cannot send."""
    fields = (*TYPED, "subject", "text", "sender")
    initial: dict[str, Any] = {name: getattr(draft, name) for name in fields}
    initial["sender"] = initial["sender"] or _first_sender(desks, desk)
    initial["answers"] = answers
    return WriteForm(initial=initial, draft=draft, senders=desks.sendable)


def write_page(
    request: HttpRequest, desks: Desks, desk: Desk, draft: Draft, form: WriteForm
) -> HttpResponse:
    """The page to write a message on."""
    context = {
        "sidebar": sidebar(desks, desk),
        "draft": draft,
        "form": form,
        "can_keep": desks.drafts_at(desk) is not None,
        "files_limit": files_limit(),
        "opens_copies": bool(form["cc"].value() or form["bcc"].value())
        or bool(form["cc"].errors or form["bcc"].errors),
    }
    return render(request, "webmail/write.html", context)


def _first_sender(desks: Desks, desk: Desk) -> str:
    if not desks.sendable:
        raise PermissionDenied("You may read this mailbox, but not send from it.")
    sender = desk if desk.can_send else desks.sendable[0]
    return str(sender.mailbox.pk)
