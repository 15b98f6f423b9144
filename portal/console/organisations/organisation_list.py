"""All organisations: filtered, listed and added."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from engine.folding import columns
from engine.registry.actions import organisations
from engine.registry.models import (
    Connection,
    Domain,
    Organisation,
    OrganisationStatus,
)
from engine.registry.models.organisation import OrganisationQuerySet
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import form_page
from portal.console.operations.health_checks import renewal_deadline
from portal.console.organisations.forms import NewOrganisationForm, OrganisationFilter
from portal.console.organisations.frame import ABOVE, ICON, member_url
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.ui.confirmation import Confirmation
from portal.ui.forms import post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person

HEADINGS = ("Name", "Kind", "Account type", "Status", "Town", "Domain")
MANAGE = Permission.MANAGE_ORGANISATIONS
MOST_WORDS = 8  # of a search


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Organisations by name."""
    search = OrganisationFilter(request)
    rows = _filtered(search.criteria).prefetch_related("domains")
    found = paginate(request, rows, by="name")
    add = Button("Add an organisation", member_url("organisation_add"), MANAGE)
    table = Table(
        HEADINGS,
        [_row(organisation) for organisation in found.rows],
        "No organisation matches. Remove a filter, or search for its domain."
        if search.is_search
        else "No organisation yet. Approve an application, or add one.",
    )
    sections = [Section(buttons=[add]), Section(table=table)]
    page = Page("Organisations", ICON, sections, filters=search, links=found.links)
    return render_page(request, page)


def found_by(text: str) -> Q:
    """Matches organisations with each word of the text in their name or a domain."""
    found = Q()
    for word in text.split()[:MOST_WORDS]:
        domains = Domain.objects.filter(Domain.found_by(word))
        by_domain = Q(pk__in=domains.values("organisation"))
        found &= Organisation.found_by(word) | by_domain
    return found


def _towns(text: str) -> list[str]:
    """Returns the towns that are called so: few enough to compare here."""
    towns = Organisation.objects.order_by().values_list("town", flat=True).distinct()
    return [town for town in towns if columns.is_found([town], text)]


def _filtered(criteria: dict[str, str]) -> OrganisationQuerySet:
    rows = Organisation.objects.filter(found_by(criteria["q"]))
    for name, field in (("kind", "kind"), ("type", "account_type")):
        if criteria[name]:
            rows = rows.filter(**{field: criteria[name]})
    if criteria["status"]:
        rows = rows.filter(status=criteria["status"])
    if criteria["town"]:
        rows = rows.filter(town__in=_towns(criteria["town"]))
    if criteria["domains"]:
        unproved = Domain.objects.filter(verified_at=None)
        rows = rows.filter(pk__in=unproved.values("organisation"))
    if criteria["connections"]:
        matching = _connections(criteria["connections"])
        rows = rows.filter(pk__in=matching.values("organisation"))
    return rows


def _connections(state: str) -> QuerySet[Connection]:
    """Connections that are suspended, faulty, or whose certificate ends soon."""
    soon = renewal_deadline()
    found = {
        "suspended": Connection.objects.filter(is_active=False),
        "faulty": Connection.objects.exclude(watch__fault="").exclude(watch=None),
        "ending": Connection.objects.filter(watch__certificate_ends_at__lte=soon),
    }
    return found.get(state, Connection.objects.none())


def _row(organisation: Organisation) -> list[Cell]:
    domains = [domain.member_domain for domain in organisation.domains.all()]
    is_suspended = organisation.status == OrganisationStatus.SUSPENDED
    return [
        Cell(organisation.name, member_url("organisation", organisation.pk)),
        Cell(organisation.get_kind_display()),
        Cell(organisation.get_account_type_display()),
        Cell(organisation.get_status_display(), is_alarming=is_suspended),
        Cell(organisation.town),
        Cell(", ".join(domains)),
    ]


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Adds an organisation that did not apply."""
    form = NewOrganisationForm(post_data(request))
    added: list[Organisation] = []

    def run() -> None:
        by = signed_in_person(request)
        added.append(organisations.add(**form.cleaned_data, by=by))

    page = Confirmation(
        title="Add an organisation",
        button="Add",
        done="The organisation was added. Give it a domain next; mail flows once it is "
        "activated.",
        text="For an organisation that has not applied. No mail flows for it yet.",
    )
    return form_page(
        request,
        form,
        run,
        page,
        back=lambda: (
            member_url("domains", added[0].pk) if added else member_url("organisations")
        ),
        icon=ICON,
        above=ABOVE,
    )
