"""An organisation's domains, and how it shows that they are its own."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from engine.registry.actions import domains
from engine.registry.addresses import domain_verification
from engine.registry.models import Domain, Organisation
from engine.registry.permissions import Permission
from onboarding.connecting import actions
from onboarding.connecting.models import DomainCheck
from portal.organisation.connection.forms import DomainForm
from portal.organisation.frame import show, visitor, within
from portal.ui.forms import ConfirmForm

SECTION = "addresses"
KEEPER = Permission.MANAGE_CONNECTIONS


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = DomainForm(request.POST or None)
    made: list[Domain] = []

    def verb() -> None:
        name = form.cleaned_data["member_domain"]
        made.append(domains.add(organisation, member_domain=name, by=visitor(request)))

    if form.submit(verb, field="member_domain"):
        messages.success(request, f"{made[0].member_domain} is added. Now prove it.")
        return redirect("organisation:domain", organisation.pk, made[0].pk)
    return show(request, organisation, "domain_add", SECTION, {"form": form})


@within(KEEPER)
@require_GET
def domain(
    request: HttpRequest, organisation: Organisation, domain_id: int
) -> HttpResponse:
    """The record that proves the domain, beside what was found."""
    found = domain_in(organisation, domain_id)
    context = {
        "domain": found,
        "record_name": domain_verification.record_name(found),
        "record_label": domain_verification.LABEL,
        "record_text": domain_verification.record_text(found),
        "check": DomainCheck.objects.filter(domain=found).first(),
        "is_given": organisation.is_hosted,
    }
    return show(request, organisation, "domain", SECTION, context)


@within(KEEPER)
@require_POST
def check(
    request: HttpRequest, organisation: Organisation, domain_id: int
) -> HttpResponse:
    """Ask the name system now."""
    found = domain_in(organisation, domain_id)
    if actions.check_domain(found, by=visitor(request)).is_good:
        messages.success(request, f"{found.member_domain} is proved to be yours.")
    return redirect("organisation:domain", organisation.pk, found.pk)


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def remove(
    request: HttpRequest, organisation: Organisation, domain_id: int
) -> HttpResponse:
    """Take back a claim that was not proved; others are the helpdesk's to end."""
    found = domain_in(organisation, domain_id)
    if found.verified_at is not None:
        raise Http404
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.submit(lambda: domains.remove(found, by=visitor(request))):
        messages.success(request, f"{found.member_domain} has been removed.")
        return redirect("organisation:addresses", organisation.pk)
    context = {
        "form": form,
        "caption": found.member_domain,
        "title": "Remove this domain",
        "text": "You can add it again later, with another record.",
        "button": "Remove this domain",
        "is_warning": True,
    }
    return show(request, organisation, "confirm", SECTION, context)


def domain_in(organisation: Organisation, domain_id: int) -> Domain:
    """Raises Http404 for one that is not the organisation's."""
    found = organisation.domains.filter(pk=domain_id).first()
    if found is None:
        raise Http404
    return found
