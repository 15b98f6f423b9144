"""Whether the words of the organisation's mail are indexed for search."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from engine.storage.search import index_choice
from portal.organisation.frame import organisation_view, render_section
from portal.ui.confirmation import is_outdated
from portal.ui.forms import ConfirmForm, post_data
from portal.ui.visitor import signed_in_person


@organisation_view(Permission.EDIT_ORGANISATION)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Shows what the index is; the button toggles it."""
    state = "on" if organisation.indexes_mail else "off"
    if is_outdated(request, state):
        return redirect("organisation:search_index", organisation.pk)
    form = ConfirmForm(post_data(request))
    wanted = not organisation.indexes_mail

    def run() -> None:
        index_choice.choose(
            organisation, indexes_mail=wanted, by=signed_in_person(request)
        )

    if form.submit(run):
        messages.success(
            request,
            "Mail is being indexed. Members find older mail bit by bit."
            if wanted
            else "The index is being deleted. Members can no longer search for words.",
        )
        return redirect("organisation:search_index", organisation.pk)
    context = {"form": form, "state": state}
    return render_section(request, organisation, "search_index", "settings", context)
