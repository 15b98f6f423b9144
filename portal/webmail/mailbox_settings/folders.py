from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.storage import folder_actions
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.mailbox import message_list
from portal.webmail.mailbox_settings.forms import FolderForm
from portal.webmail.sidebar import sidebar


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """A new folder."""
    desks = desks_of(request)
    desk = desks.writable(mailbox_id)
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
    return render(request, "webmail/mailbox_settings/folder_new.html", context)


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Another name for a folder of one's own."""
    desks = desks_of(request)
    desk, folder = desks.writable_folder(folder_id)
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
    return render(request, "webmail/mailbox_settings/folder_rename.html", context)


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Delete a folder of one's own; what is in it goes to Deleted."""
    desks = desks_of(request)
    desk, folder = desks.writable_folder(folder_id)
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
        "total": message_list.count(folder),
        "rules": folder.rules.count(),
    }
    return render(request, "webmail/mailbox_settings/folder_delete.html", context)
