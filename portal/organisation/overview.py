from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation, RoleName
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import signed_in
from engine.storage import retention_periods
from onboarding.models import Letter
from portal.organisation import attention
from portal.organisation.frame import show, visitor, within


@signed_in
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The organisation that the person administers; a choice where there are several."""
    organisations = list(
        Organisation.objects.filter(
            roles__person=visitor(request), roles__role=RoleName.ADMINISTRATOR
        )
    )
    if len(organisations) == 1:
        return redirect("organisation:show", organisations[0].pk)
    context = {"organisations": organisations}
    return render(request, "organisation/choose_organisation.html", context)


@within(Permission.EDIT_ORGANISATION)
@require_GET
def overview(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    context = {
        "counts": attention.counts(organisation),
        "tasks": attention.tasks(organisation),
        "has_letter": Letter.objects.filter(organisation=organisation).exists(),
    }
    return show(request, organisation, "overview", "show", context)


@within(Permission.EDIT_ORGANISATION)
@require_GET
def settings(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    context = {"retention": retention_periods.of(organisation)}
    return show(request, organisation, "settings", "settings", context)


@within(Permission.EDIT_ORGANISATION)
@require_GET
def addresses(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    context = {
        "domains": organisation.domains.all(),
        "may_add": not (organisation.is_hosted or organisation.is_trusted_domain),
    }
    return show(request, organisation, "addresses", "addresses", context)
