"""The overview of an organisation, its addresses and its settings."""

from __future__ import annotations

from django.conf import settings as configured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation, RoleName
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import signed_in
from engine.storage import retention_periods
from onboarding.models import Letter
from portal.organisation import attention, next_steps
from portal.organisation.frame import organisation_view, render_section
from portal.ui.visitor import signed_in_person


@signed_in
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Opens the organisation that the person administers; offers a choice of several."""
    organisations = list(
        Organisation.objects.filter(
            roles__person=signed_in_person(request), roles__role=RoleName.ADMINISTRATOR
        )
    )
    if len(organisations) == 1:
        return redirect("organisation:show", organisations[0].pk)
    context = {"organisations": organisations}
    return render(request, "organisation/choose_organisation.html", context)


@organisation_view(Permission.EDIT_ORGANISATION)
@require_GET
def overview(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """What to do next, hints, counts and the organisation's details."""
    context = {
        "steps": next_steps.of(organisation),
        "counts": attention.counts(organisation),
        "hints": attention.hints(organisation, signed_in_person(request)),
        "has_letter": Letter.objects.filter(organisation=organisation).exists(),
    }
    return render_section(request, organisation, "overview", "show", context)


@organisation_view(Permission.EDIT_ORGANISATION)
@require_GET
def settings(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's settings."""
    context = {
        "retention": retention_periods.retention_of(organisation),
        "classifications": configured.POSTERN.classifications,
        "needs_classification": configured.POSTERN.classification_required
        or organisation.requires_classification,
    }
    return render_section(request, organisation, "settings", "settings", context)


@organisation_view(Permission.EDIT_ORGANISATION)
@require_GET
def addresses(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's domains."""
    context = {
        "domains": organisation.domains.all(),
        "may_add": not (organisation.is_hosted or organisation.is_trusted_domain),
    }
    return render_section(request, organisation, "addresses", "addresses", context)
