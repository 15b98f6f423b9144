"""Whether each message that the organisation's people write must be classified."""

from __future__ import annotations

from django.conf import settings
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
    """Shows the service's classifications; the button asks for one, or no longer."""
    state = "on" if organisation.requires_classification else "off"
    if is_outdated(request, state):
        return redirect("organisation:classification", organisation.pk)
    form = ConfirmForm(post_data(request))
    wanted = not organisation.requires_classification

    def run() -> None:
        organisations.edit(
            organisation, requires_classification=wanted, by=signed_in_person(request)
        )

    if form.submit(run):
        messages.success(
            request,
            "Each message must be classified from now on."
            if wanted
            else "Messages need no classification any more.",
        )
        return redirect("organisation:classification", organisation.pk)
    context = {
        "form": form,
        "state": state,
        "classifications": settings.POSTERN.classifications,
        "is_required_of_all": settings.POSTERN.classification_required,
    }
    return render_section(request, organisation, "classification", "settings", context)
