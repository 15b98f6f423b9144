"""Whether everybody in the organisation needs a second factor."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from engine.registry.actions import organisations
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation import attention
from portal.organisation.confirmation import is_overtaken
from portal.organisation.frame import show, visitor, within
from portal.ui.forms import ConfirmForm
from portal.ui.pagination import paged


@within(Permission.EDIT_ORGANISATION)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    was = "on" if organisation.mfa_required else "off"
    if is_overtaken(request, was):
        return redirect("organisation:security", organisation.pk)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    wanted = not organisation.mfa_required

    def verb() -> None:
        organisations.edit(organisation, mfa_required=wanted, by=visitor(request))

    if form.submit(verb):
        messages.success(
            request,
            "Everybody now needs a second factor."
            if wanted
            else "Members again have the time that the service gives them."
            if settings.POSTERN.second_factor == "everybody"
            else "Members can sign in with a password alone again.",
        )
        return redirect("organisation:security", organisation.pk)
    missing = attention.without_second_factor(organisation)
    context = {
        "form": form,
        "was": was,
        "community_asks": settings.POSTERN.second_factor == "everybody",
        "grace_days": settings.POSTERN.second_factor_grace_days,
        "people_count": organisation.people.filter(is_active=True).count(),
        "missing_count": missing.count(),
        "page": paged(request, missing, by="name"),
    }
    return show(request, organisation, "security", "settings", context)
