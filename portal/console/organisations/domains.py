"""An organisation's domains: its own name, and what it is in the community."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import domains
from engine.registry.models import Domain
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import (
    ConfirmForm,
    ReasonForm,
    Words,
    act,
    person_of,
    typed,
)
from portal.console.organisations.forms import DomainForm
from portal.console.organisations.frame import ABOVE, ICON, organisation_of, tabs, url
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw

MANAGE = Permission.MANAGE_ORGANISATIONS
HEADINGS = ("Its own domain", "In the community", "Proved", "")


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    rows = [_row(domain) for domain in organisation.domains.all()]
    add = Button("Add a domain", url("domain_add", pk), MANAGE)
    empty = "It has no domain yet, so it can have no address. Add one."
    section = Section(table=Table(HEADINGS, rows, empty), buttons=[add])
    sheet = Sheet(
        organisation.name,
        ICON,
        [section],
        above=ABOVE,
        tabs=tabs(request, organisation, "domains"),
    )
    return draw(request, sheet)


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
        Cell("Open", url("domain", domain.organisation_id, domain.pk)),
    ]


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def show(request: HttpRequest, pk: int, domain_id: int) -> HttpResponse:
    domain = _domain(pk, domain_id)
    keys = (pk, domain_id)
    facts = [
        ("Its own domain", Cell(domain.member_domain)),
        ("In the community", Cell(domain.community_domain)),
        (
            "Proved",
            Cell(at=domain.verified_at) if domain.verified_at else Cell("Not yet"),
        ),
        ("Added", Cell(at=domain.created_at)),
    ]
    buttons = [Button("Remove", url("domain_remove", *keys), MANAGE, True)]
    if not domain.verified_at:
        verify = Button("Take as proved", url("domain_verify", *keys), MANAGE)
        buttons.insert(0, verify)
    sheet = Sheet(
        domain.member_domain,
        ICON,
        [Section(facts=facts, buttons=buttons)],
        above=ABOVE,
        tabs=tabs(request, domain.organisation, "domains"),
    )
    return draw(request, sheet)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    form = DomainForm(typed(request))
    words = Words(
        title=f"Add a domain to {organisation}",
        button="Add",
        done="The domain was added.",
        back=url("domains", pk),
        icon=ICON,
        above=ABOVE,
    )

    def verb() -> None:
        domains.add(organisation, **form.cleaned_data, by=person_of(request))

    return act(request, form, verb, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, pk: int, domain_id: int) -> HttpResponse:
    """By hand: somebody made sure in another way than by a DNS record."""
    domain = _domain(pk, domain_id)
    form = ReasonForm(typed(request))
    words = Words(
        title=f"Take {domain.member_domain} as proved",
        button="Take as proved",
        done=f"{domain.member_domain} counts as proved.",
        back=url("domains", pk),
        text="Say how you made sure that the domain is theirs.",
        icon=ICON,
        above=ABOVE,
    )

    def run() -> None:
        domains.verify(
            domain, reason=form.cleaned_data["reason"], by=person_of(request)
        )

    return act(request, form, run, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, pk: int, domain_id: int) -> HttpResponse:
    domain = _domain(pk, domain_id)
    words = Words(
        title=f"Remove {domain.member_domain}",
        button="Remove",
        done=f"{domain.member_domain} was removed.",
        back=url("domains", pk),
        text="Mail to and from it is refused from then on. A domain with addresses "
        "in it cannot be removed.",
        icon=ICON,
        above=ABOVE,
        is_grave=True,
    )
    form = ConfirmForm(typed(request))
    return act(
        request, form, lambda: domains.remove(domain, by=person_of(request)), words
    )


def _domain(pk: int, domain_id: int) -> Domain:
    rows = Domain.objects.select_related("organisation")
    return get_object_or_404(rows, pk=domain_id, organisation=pk)
