"""Canned replies: listed, edited and removed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from engine.registry.errors import PolicyError
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff, staff
from portal.console.helpdesk.forms import CannedForm
from portal.console.helpdesk.ticket_list import ABOVE
from portal.console.page import render_template
from portal.helpdesk.actions import canned_replies
from portal.helpdesk.models import CannedReply
from portal.helpdesk.status import Category
from portal.ui.visitor import signed_in_person

ICON = "doc-full"


@staff(Permission.VIEW_TICKETS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All canned replies."""
    may_edit = Permission.ANSWER_TICKETS in held_as_staff(request.user)
    context = {"replies": CannedReply.objects.all(), "may_edit": may_edit}
    return render_template(
        request, "helpdesk/canned", "Canned replies", ICON, context, above=ABOVE
    )


@staff(Permission.ANSWER_TICKETS)
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Adds or edits a canned reply."""
    reply = get_object_or_404(CannedReply, pk=pk) if pk else CannedReply()
    shown = {"title": reply.title, "category": reply.category, "text": reply.text}
    form = CannedForm(request.POST or None, reply=reply, initial=shown)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        data["category"] = Category(data["category"])
        try:
            canned_replies.save(reply, **data, by=signed_in_person(request))
        except PolicyError as refusal:
            form.add_error("text", str(refusal))
        else:
            messages.success(request, f"“{reply.title}” is saved.")
            return redirect("desk:canned")
    title = reply.title or "New canned reply"
    above = (*ABOVE, ("desk:canned", "Canned replies"))
    context = {"form": form, "reply": reply}
    return render_template(
        request, "helpdesk/canned_edit", title, ICON, context, above=above
    )


@staff(Permission.ANSWER_TICKETS)
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Removes a canned reply."""
    reply = get_object_or_404(CannedReply, pk=pk)
    canned_replies.remove(reply, by=signed_in_person(request))
    messages.success(request, f"“{reply.title}” has been removed.")
    return redirect("desk:canned")
