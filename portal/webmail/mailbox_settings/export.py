"""Exports of a mailbox as a ZIP file of mbox files."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.errors import PolicyError
from engine.registry.permissions.view_guards import View
from engine.storage.exports import mailbox_export
from engine.storage.models import Export, ExportStatus, Folder
from portal.webmail import tasks
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.request_ids import parse_id
from portal.webmail.sidebar import sidebar

requires_password: Callable[[View], View] = reauthentication_required


@requires_mail
@requires_password
@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Lists exports and their progress; on POST, starts one."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    if request.method == "POST":
        try:
            made = mailbox_export.start(
                access.mailbox,
                folder=_folder(request, mailboxes, access),
                by=mailboxes.person,
            )
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
        else:
            tasks.start_export(made.pk)
        return redirect("webmail:exports", mailbox_id=access.mailbox.pk)
    rows = Export.objects.filter(mailbox=access.mailbox).select_related("folder")
    context = {
        "sidebar": sidebar(mailboxes, access),
        "access": access,
        "exports": list(rows[:10]),
        "is_busy": any(row.status in mailbox_export.UNFINISHED for row in rows[:10]),
        "kept_days": mailbox_export.KEPT.days,
    }
    return render(request, "webmail/mailbox_settings/exports.html", context)


@requires_mail
@requires_password
@require_safe
def fetch(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponseBase:
    """Downloads a finished export."""
    access = accessible_mailboxes(request).writable(mailbox_id)
    rows = Export.objects.filter(mailbox=access.mailbox, status=ExportStatus.READY)
    try:
        copy = mailbox_export.open_copy(get_object_or_404(rows, token=token))
    except FileNotFoundError as error:
        raise Http404 from error
    name = f"{access.mailbox.address}.zip"
    return FileResponse(copy, as_attachment=True, filename=name)


def _folder(
    request: HttpRequest, mailboxes: AccessibleMailboxes, access: MailboxAccess
) -> Folder | None:
    value = request.POST.get("folder", "")
    if not value:
        return None
    folder_id = parse_id(value)
    if folder_id is None:
        raise Http404
    _, folder = mailboxes.folder(folder_id)
    if folder.mailbox_id != access.mailbox.pk:
        raise Http404
    return folder
