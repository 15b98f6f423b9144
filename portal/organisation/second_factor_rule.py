"""Whether everyone in the organisation needs a second factor."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from engine.registry.actions import organisations
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.account_admin import policies
from portal.organisation.frame import organisation_view, render_section
from portal.ui.confirmation import is_outdated
from portal.ui.forms import ConfirmForm, post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person


@organisation_view(Permission.EDIT_ORGANISATION)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Shows the rule and who has no second factor; the button toggles it."""
    state = "on" if organisation.mfa_required else "off"
    if is_outdated(request, state):
        return redirect("organisation:security", organisation.pk)
    form = ConfirmForm(post_data(request))
    wanted = not organisation.mfa_required

    def run() -> None:
        organisations.edit(
            organisation, mfa_required=wanted, by=signed_in_person(request)
        )

    if form.submit(run):
        messages.success(
            request,
            "Everyone now needs a second factor."
            if wanted
            else "You no longer require it immediately. The rule of the whole "
            "service applies again."
            if settings.POSTERN.second_factor == "everybody"
            else "Members can sign in with a password alone again.",
        )
        return redirect("organisation:security", organisation.pk)
    missing = policies.without_second_factor(organisation)
    context = {
        "form": form,
        "state": state,
        "community_asks": settings.POSTERN.second_factor == "everybody",
        "grace_days": settings.POSTERN.second_factor_grace_days,
        "people_count": organisation.people.filter(is_active=True).count(),
        "missing_count": missing.count(),
        "page": paginate(request, missing, by="name"),
    }
    return render_section(request, organisation, "security", "settings", context)
