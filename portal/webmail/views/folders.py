from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.storage import folder_actions
from portal.webmail import listing
from portal.webmail.access import Desk, Desks, desks_of
from portal.webmail.doors import uses_mail
from portal.webmail.forms_mailbox import FolderForm
from portal.webmail.sidebar import sidebar
from portal.webmail.views.act import writable


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """A new folder."""
    desks = desks_of(request)
    desk = changeable(desks, mailbox_id)
    form = FolderForm(request.POST or None)
    if form.is_valid():
        try:
            made = folder_actions.create(desk.mailbox, name=form.cleaned_data["name"])
        except PolicyError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"Folder {made.name} made")
            return redirect("webmail:folder", folder_id=made.pk)
    context = {"sidebar": sidebar(desks, desk), "form": form}
    return render(request, "webmail/folder_new.html", context)


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Another name for a folder of one's own."""
    desks = desks_of(request)
    desk, folder = writable(desks, folder_id)
    form = FolderForm(request.POST or None, initial={"name": folder.name})
    if form.is_valid():
        try:
            folder_actions.rename(folder, name=form.cleaned_data["name"])
        except PolicyError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"The folder is called {folder.name} now")
            return redirect("webmail:folder", folder_id=folder.pk)
    context = {"sidebar": sidebar(desks, desk), "folder": folder, "form": form}
    return render(request, "webmail/folder_rename.html", context)


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Delete a folder of one's own; what is in it goes to Deleted."""
    desks = desks_of(request)
    desk, folder = writable(desks, folder_id)
    if request.method == "POST":
        try:
            folder_actions.remove(folder)
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
            return redirect("webmail:folder", folder_id=folder.pk)
        messages.success(request, f"Folder {folder.name} deleted")
        return redirect("webmail:mailbox", mailbox_id=desk.mailbox.pk)
    context = {
        "sidebar": sidebar(desks, desk),
        "folder": folder,
        "total": listing.count(folder),
        "rules": folder.rules.count(),
    }
    return render(request, "webmail/folder_delete.html", context)


def changeable(desks: Desks, mailbox_id: int) -> Desk:
    """The mailbox, for those who may change it. Raises Http404 or PermissionDenied."""
    desk = desks.at(mailbox_id)
    if not desk.can_write:
        raise PermissionDenied("You may read this mailbox, but not change it.")
    return desk
