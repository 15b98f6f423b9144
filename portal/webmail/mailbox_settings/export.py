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
from portal.webmail.access import Desk, Desks, desks_of, uses_mail
from portal.webmail.sidebar import sidebar

asks_password: Callable[[View], View] = reauthentication_required


@uses_mail
@asks_password
@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Copies of a mailbox: ask for one, see how far it is, fetch it."""
    desks = desks_of(request)
    desk = desks.writable(mailbox_id)
    if request.method == "POST":
        try:
            made = mailbox_export.start(
                desk.mailbox, folder=_folder(request, desks, desk), by=desks.person
            )
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
        else:
            tasks.start_export(made.pk)
        return redirect("webmail:exports", mailbox_id=desk.mailbox.pk)
    rows = Export.objects.filter(mailbox=desk.mailbox).select_related("folder")
    context = {
        "sidebar": sidebar(desks, desk),
        "desk": desk,
        "exports": list(rows[:10]),
        "is_busy": any(row.status in mailbox_export.UNFINISHED for row in rows[:10]),
        "kept_days": mailbox_export.KEPT.days,
    }
    return render(request, "webmail/mailbox_settings/exports.html", context)


@uses_mail
@asks_password
@require_safe
def fetch(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponseBase:
    """The finished copy, as a file."""
    desk = desks_of(request).writable(mailbox_id)
    rows = Export.objects.filter(mailbox=desk.mailbox, status=ExportStatus.READY)
    path = mailbox_export.path_of(get_object_or_404(rows, token=token))
    if not path.is_file():
        raise Http404
    name = f"{desk.mailbox.address}.zip"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name)


def _folder(request: HttpRequest, desks: Desks, desk: Desk) -> Folder | None:
    value = request.POST.get("folder", "")
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise Http404
    _, folder = desks.folder(int(value))
    if folder.mailbox_id != desk.mailbox.pk:
        raise Http404
    return folder
