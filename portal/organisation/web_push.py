"""Whether the organisation's people may be notified in browsers without an open page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from engine.registry.actions import organisations
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation.frame import organisation_view, render_section
from portal.ui.confirmation import is_outdated
from portal.ui.forms import ConfirmForm, post_data
from portal.ui.visitor import signed_in_person


@organisation_view(Permission.EDIT_ORGANISATION)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Shows what such notifications are; the button allows or stops them."""
    state = "on" if organisation.allows_web_push else "off"
    if is_outdated(request, state):
        return redirect("organisation:web_push", organisation.pk)
    form = ConfirmForm(post_data(request))
    wanted = not organisation.allows_web_push

    def run() -> None:
        organisations.edit(
            organisation, allows_web_push=wanted, by=signed_in_person(request)
        )

    if form.submit(run):
        messages.success(
            request,
            "Members can have notifications in their browsers."
            if wanted
            else "No browser is notified any more.",
        )
        return redirect("organisation:web_push", organisation.pk)
    context = {"form": form, "state": state}
    return render_section(request, organisation, "web_push", "settings", context)
