from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from engine.registry.access import signed_in
from engine.storage.models import Folder, FolderRole
from portal.webmail import listing
from portal.webmail.access import desks_of
from portal.webmail.listing import Page
from portal.webmail.sidebar import sidebar


@signed_in
@require_safe
def folder(request: HttpRequest, folder_id: int | None = None) -> HttpResponse:
    """A folder's messages; without an id, the inbox where the person starts."""
    desks = desks_of(request)
    if folder_id is None:
        desk = desks.first()
        if desk is None:
            return render(request, "webmail/no_mailbox.html")
        return redirect("webmail:mailbox", mailbox_id=desk.mailbox.pk)
    desk, opened = desks.folder(folder_id)
    beside = sidebar(desks, desk)
    return render(
        request,
        "webmail/folder.html",
        {
            "sidebar": beside,
            "folder": opened,
            "line": beside.line_of(opened),
            "targets": beside.targets(opened),
            "page": _page(request, opened),
            "names_recipients": opened.role in (FolderRole.SENT, FolderRole.DRAFTS),
        },
    )


@signed_in
@require_safe
def mailbox(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The inbox of one of the person's mailboxes."""
    desks = desks_of(request)
    beside = sidebar(desks, desks.at(mailbox_id))
    return redirect("webmail:folder", folder_id=beside.inbox.pk)


def _page(request: HttpRequest, opened: Folder) -> Page:
    before, after = _id(request, "before"), _id(request, "after")
    if before is not None:
        return listing.older_than(opened, before)
    if after is not None:
        return listing.newer_than(opened, after)
    return listing.newest(opened)


def _id(request: HttpRequest, name: str) -> int | None:
    """A message id out of the address; None for anything else."""
    value = request.GET.get(name, "")
    return (
        int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    )
