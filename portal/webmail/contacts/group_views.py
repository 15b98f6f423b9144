"""Pages of contact groups."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from engine.registry.errors import PolicyError
from portal.webmail import recipient_input
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.contacts import actions, address_book
from portal.webmail.contacts.contact_views import own_group
from portal.webmail.contacts.forms import GroupForm, MembersForm
from portal.webmail.sidebar import render_with_sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Creates a group."""
    form = GroupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            group = actions.add_group(
                accessible_mailboxes(request).person, name=form.cleaned_data["name"]
            )
        except PolicyError as error:
            form.add_error("name", str(error))
        else:
            return redirect("webmail:contact_group", group_id=group.pk)
    return render_with_sidebar(
        request, "webmail/contacts/group_form.html", {"form": form}
    )


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, group_id: int) -> HttpResponse:
    """Shows a group and its members; on POST, adds people."""
    group = own_group(accessible_mailboxes(request).person, group_id)
    form = MembersForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            count = actions.add_to_group(group, form.cards())
        except PolicyError as error:
            form.add_error("people", str(error))
        else:
            messages.success(request, f"{count} added to {group.name}.")
            return redirect("webmail:contact_group", group_id=group.pk)
    members = address_book.members(group)
    context = {
        "group": group,
        "form": form,
        "members": list(members[: recipient_input.LIMIT]),
        "more": max(0, members.count() - recipient_input.LIMIT),
        "limit": recipient_input.LIMIT,
    }
    return render_with_sidebar(request, "webmail/contacts/group.html", context)


@requires_mail
@require_POST
def remove(request: HttpRequest, group_id: int, contact_id: int) -> HttpResponse:
    """Removes a contact from a group; the contact stays in the address book."""
    group = own_group(accessible_mailboxes(request).person, group_id)
    group.contacts.remove(contact_id)
    messages.success(request, f"Removed from {group.name}.")
    return redirect("webmail:contact_group", group_id=group.pk)


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, group_id: int) -> HttpResponse:
    """Renames a group."""
    group = own_group(accessible_mailboxes(request).person, group_id)
    form = GroupForm(
        request.POST if request.method == "POST" else None, initial={"name": group.name}
    )
    if form.is_valid():
        try:
            actions.rename_group(group, name=form.cleaned_data["name"])
        except PolicyError as error:
            form.add_error("name", str(error))
        else:
            return redirect("webmail:contact_group", group_id=group.pk)
    context = {"form": form, "group": group}
    return render_with_sidebar(request, "webmail/contacts/group_form.html", context)


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, group_id: int) -> HttpResponse:
    """Deletes a group after confirmation."""
    group = own_group(accessible_mailboxes(request).person, group_id)
    if request.method == "POST":
        actions.delete_group(group)
        messages.success(request, f"Group {group.name} deleted.")
        return redirect("webmail:contacts")
    return render_with_sidebar(
        request, "webmail/contacts/group_delete.html", {"group": group}
    )
