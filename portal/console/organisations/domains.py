"""An organisation's domains: its own name, and its name in the community."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import domains
from engine.registry.models import Domain, Person
from engine.registry.permissions import Permission
from engine.signing import key_records
from engine.signing.mail_keys import community_domain
from portal.console.access import staff
from portal.console.confirmation import confirmed_view, form_page
from portal.console.organisations.forms import DomainForm
from portal.console.organisations.frame import (
    ABOVE,
    ICON,
    get_organisation,
    member_url,
    render_tab,
)
from portal.console.page import Button, Cell, Section, Table
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm, post_data
from portal.ui.visitor import signed_in_person

MANAGE = Permission.MANAGE_ORGANISATIONS
RECORD_HEADINGS = ("Name", "Type", "Value", "In the DNS")
HEADINGS = ("Its own domain", "In the community", "Verified", "")


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's domains."""
    organisation = get_organisation(pk)
    rows = [_row(domain) for domain in organisation.domains.all()]
    add = Button("Add a domain", member_url("domain_add", pk), MANAGE)
    empty = "No domain yet, so it can have no addresses. Add one."
    section = Section(table=Table(HEADINGS, rows, empty), buttons=[add])
    return render_tab(request, organisation, "domains", [section])


def _row(domain: Domain) -> list[Cell]:
    proved = (
        Cell(at=domain.verified_at)
        if domain.verified_at
        else Cell("Not yet", is_alarming=True)
    )
    return [
        Cell(domain.member_domain),
        Cell(domain.community_domain),
        proved,
        Cell("Open", member_url("domain", domain.organisation_id, domain.pk)),
    ]


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, domain_id: int) -> HttpResponse:
    """One domain, and whether it is proved."""
    domain = _find(pk, domain_id)
    facts = [
        ("Its own domain", Cell(domain.member_domain)),
        ("In the community", Cell(domain.community_domain)),
        (
            "Verified",
            Cell(at=domain.verified_at) if domain.verified_at else Cell("Not yet"),
        ),
        ("Added", Cell(at=domain.created_at)),
    ]
    remove = member_url("domain_remove", pk, domain_id)
    buttons = [Button("Remove", remove, MANAGE, True)]
    if not domain.verified_at:
        verify = member_url("domain_verify", pk, domain_id)
        buttons.insert(0, Button("Accept as verified", verify, MANAGE))
    sections = [Section(facts=facts, buttons=buttons)]
    if domain.organisation.is_hosted:
        sections.append(_signing(domain))
    return render_tab(
        request, domain.organisation, "domains", sections, title=domain.member_domain
    )


def _signing(domain: Domain) -> Section:
    """The records by which its mail is signed for it, and which of them are there."""
    rows = [
        [
            Cell(one.name),
            Cell(one.kind),
            Cell(one.value),
            Cell("Found")
            if one.found and one.found.is_visible
            else Cell("Not found", note=one.found.problem if one.found else ""),
        ]
        for one in key_records.wanted(domain.community_domain)
    ]
    return Section(
        "DKIM records",
        text=f"With these records in the DNS of {community_domain()} its mail is signed "
        "for its own domain. They never change. Until they are found, which is checked "
        f"every hour, its mail is signed for {community_domain()}.",
        table=Table(RECORD_HEADINGS, rows, "No keys yet. The worker makes them."),
    )


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds a domain."""
    organisation = get_organisation(pk)
    form = DomainForm(post_data(request))

    def run() -> None:
        domains.add(organisation, **form.cleaned_data, by=signed_in_person(request))

    page = Confirmation(
        title=f"Add a domain to {organisation}",
        button="Add",
        done="The domain was added.",
    )
    return form_page(
        request,
        form,
        run,
        page,
        back=lambda: member_url("domains", pk),
        icon=ICON,
        above=ABOVE,
    )


def _find(pk: int, domain_id: int) -> Domain:
    rows = Domain.objects.select_related("organisation")
    return get_object_or_404(rows, pk=domain_id, organisation=pk)


def _back(domain: Domain) -> str:
    return member_url("domains", domain.organisation_id)


def _describe_verification(domain: Domain, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Accept {domain.member_domain} as verified",
        button="Accept as verified",
        done=f"{domain.member_domain} is accepted as verified.",
        text="The domain needs no DNS record then. Say how you checked that it "
        "belongs to them.",
    )


def _describe_removal(domain: Domain, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Remove {domain.member_domain}",
        button="Remove",
        done=f"{domain.member_domain} was removed.",
        text="Mail to and from it is refused from then on. A domain with addresses in "
        "it cannot be removed.",
        is_warning=True,
    )


verify = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_verification, domains.verify, ReasonForm),
    back=_back,
    icon=ICON,
    above=ABOVE,
)
remove = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_removal, domains.remove),
    back=_back,
    icon=ICON,
    above=ABOVE,
)
