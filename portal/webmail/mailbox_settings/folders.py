"""Creates, renames and deletes folders."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from engine.storage import folder_actions
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.mailbox import message_list, waiting_messages
from portal.webmail.mailbox_settings.forms import FolderForm
from portal.webmail.sidebar import sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Creates a folder."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    form = FolderForm(request.POST or None)
    if form.is_valid():
        try:
            made = folder_actions.create(access.mailbox, name=form.cleaned_data["name"])
        except PolicyError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"Folder {made.name} created")
            return redirect("webmail:folder", folder_id=made.pk)
    context = {"sidebar": sidebar(mailboxes, access), "form": form}
    return render(request, "webmail/mailbox_settings/folder_new.html", context)


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Renames a folder that is not a standard one."""
    mailboxes = accessible_mailboxes(request)
    access, folder = mailboxes.writable_folder(folder_id)
    form = FolderForm(request.POST or None, initial={"name": folder.name})
    if form.is_valid():
        try:
            folder_actions.rename(folder, name=form.cleaned_data["name"])
        except PolicyError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"Folder renamed to {folder.name}")
            return redirect("webmail:folder", folder_id=folder.pk)
    context = {"sidebar": sidebar(mailboxes, access), "folder": folder, "form": form}
    return render(request, "webmail/mailbox_settings/folder_rename.html", context)


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Deletes a folder after confirmation; its messages move to Deleted."""
    mailboxes = accessible_mailboxes(request)
    access, folder = mailboxes.writable_folder(folder_id)
    if request.method == "POST":
        try:
            waiting_messages.check_all_have_left(folder)
            folder_actions.remove(folder)
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
            return redirect("webmail:folder", folder_id=folder.pk)
        messages.success(request, f"Folder {folder.name} deleted")
        return redirect("webmail:mailbox", mailbox_id=access.mailbox.pk)
    context = {
        "sidebar": sidebar(mailboxes, access),
        "folder": folder,
        "total": message_list.count(folder),
        "rules": folder.rules.count(),
    }
    return render(request, "webmail/mailbox_settings/folder_delete.html", context)
