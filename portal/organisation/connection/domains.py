"""The organisation's domains, and the DNS record that proves each."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from engine.registry.actions import domains
from engine.registry.addresses import domain_verification
from engine.registry.models import Domain, Organisation, Person
from engine.registry.permissions import Permission
from engine.signing import key_records
from engine.signing.key_records import Wanted
from onboarding.connecting import actions
from onboarding.connecting.models import DomainCheck
from portal.organisation.confirmation import confirmed_view
from portal.organisation.connection.forms import DomainForm
from portal.organisation.frame import organisation_view, render_section
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import post_data
from portal.ui.visitor import signed_in_person

SECTION = "addresses"
CONNECTIONS = organisation_view(Permission.MANAGE_CONNECTIONS)


@CONNECTIONS
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Adds a domain, which then has to be proved."""
    form = DomainForm(post_data(request))
    added: list[Domain] = []

    def run() -> None:
        name = form.cleaned_data["member_domain"]
        added.append(
            domains.add(organisation, member_domain=name, by=signed_in_person(request))
        )

    if form.submit(run, field="member_domain"):
        messages.success(
            request,
            f"{added[0].member_domain} has been added. Now verify it with a DNS "
            "record.",
        )
        return redirect("organisation:domain", organisation.pk, added[0].pk)
    return render_section(request, organisation, "domain_add", SECTION, {"form": form})


@CONNECTIONS
@require_GET
def domain(
    request: HttpRequest, organisation: Organisation, domain_id: int
) -> HttpResponse:
    """The record that proves the domain, and what the last check found."""
    found = get_domain(organisation, domain_id)
    context = {
        "domain": found,
        "record_name": domain_verification.record_name(found),
        "record_label": domain_verification.LABEL,
        "record_text": domain_verification.record_text(found),
        "check": DomainCheck.objects.filter(domain=found).first(),
        "is_given": organisation.is_hosted,
        "signing": _signing(found) if organisation.is_hosted else [],
    }
    return render_section(request, organisation, "domain", SECTION, context)


def _signing(domain: Domain) -> list[Wanted]:
    """The records of the keys that sign its mail now."""
    records = key_records.wanted(domain.community_domain)
    return [one for one in records if one.key.is_current]


@CONNECTIONS
@require_POST
def check(
    request: HttpRequest, organisation: Organisation, domain_id: int
) -> HttpResponse:
    """Looks the record up now."""
    found = get_domain(organisation, domain_id)
    if actions.check_domain(found, by=signed_in_person(request)).is_good:
        messages.success(request, f"{found.member_domain} is verified.")
    return redirect("organisation:domain", organisation.pk, found.pk)


def get_domain(organisation: Organisation, domain_id: int) -> Domain:
    """Returns a domain of the organisation. Raises Http404."""
    found = organisation.domains.filter(pk=domain_id).first()
    if found is None:
        raise Http404
    return found


def _find_claim(organisation: Organisation, domain_id: int) -> Domain:
    """Returns a domain that is not proved yet; the helpdesk removes the others."""
    domain = get_domain(organisation, domain_id)
    if domain.verified_at is not None:
        raise Http404
    return domain


def _describe_removal(domain: Domain, by: Person) -> Confirmation:
    return Confirmation(
        title="Remove this domain",
        text="You can add it again later, with another record.",
        button="Remove this domain",
        done=f"{domain.member_domain} has been removed.",
        caption=domain.member_domain,
        is_warning=True,
    )


remove = confirmed_view(
    CONNECTIONS,
    SECTION,
    _find_claim,
    ConfirmedAction(_describe_removal, domains.remove),
    back=lambda domain, by: reverse(
        "organisation:addresses", args=[domain.organisation_id]
    ),
)
