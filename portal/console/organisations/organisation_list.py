"""All organisations: found, listed, added."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import organisations
from engine.registry.models import Connection, Domain, Organisation
from engine.registry.models.organisation import OrganisationQuerySet
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import Words, act, person_of, typed
from portal.console.operations.health_checks import soon
from portal.console.organisations.forms import NewOrganisationForm, OrganisationFilter
from portal.console.organisations.frame import ABOVE, ICON, url
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw
from portal.ui.pagination import paged

HEADINGS = ("Name", "Kind", "Account type", "Status", "Town", "Domain")


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """By name; by `q` in name and domains, by kind, type, status and town."""
    search = OrganisationFilter(request)
    rows = _found(search.criteria).prefetch_related("domains")
    page = paged(request, rows, by="name")
    add = Button(
        "Add an organisation",
        url("organisation_add"),
        Permission.MANAGE_ORGANISATIONS,
    )
    table = Table(
        HEADINGS,
        [_row(organisation) for organisation in page.rows],
        "No organisation fits. Take a filter away, or look for its domain."
        if search.is_search
        else "There is no organisation yet. Approve an application, or add one.",
    )
    sections = [Section(buttons=[add]), Section(table=table)]
    return draw(
        request,
        Sheet("Organisations", ICON, sections, filters=search, links=page.links),
    )


def _found(typed_in: dict[str, str]) -> OrganisationQuerySet:
    rows = Organisation.objects.all()
    for word in typed_in["q"].split():
        by_domain = Organisation.objects.filter(
            Q(domains__member_domain__icontains=word)
            | Q(domains__community_domain__icontains=word)
        )
        rows = rows.filter(Q(name__icontains=word) | Q(pk__in=by_domain.values("pk")))
    for name, field in (("kind", "kind"), ("type", "account_type")):
        if typed_in[name]:
            rows = rows.filter(**{field: typed_in[name]})
    if typed_in["status"]:
        rows = rows.filter(status=typed_in["status"])
    if typed_in["town"]:
        rows = rows.filter(town__icontains=typed_in["town"])
    if typed_in["domains"]:
        unproved = Domain.objects.filter(verified_at=None)
        rows = rows.filter(pk__in=unproved.values("organisation"))
    if typed_in["connections"]:
        meant = _connections(typed_in["connections"])
        rows = rows.filter(pk__in=meant.values("organisation"))
    return rows


def _connections(state: str) -> QuerySet[Connection]:
    """Those that are suspended, faulty, or whose certificate ends soon."""
    found = {
        "suspended": Connection.objects.filter(is_active=False),
        "faulty": Connection.objects.exclude(watch__fault="").exclude(watch=None),
        "ending": Connection.objects.filter(watch__certificate_ends_at__lte=soon()),
    }
    return found.get(state, Connection.objects.none())


def _row(organisation: Organisation) -> list[Cell]:
    domains = [domain.member_domain for domain in organisation.domains.all()]
    return [
        Cell(organisation.name, url("organisation", organisation.pk)),
        Cell(organisation.get_kind_display()),
        Cell(organisation.get_account_type_display()),
        Cell(
            organisation.get_status_display(),
            is_alarming=organisation.status == "suspended",
        ),
        Cell(organisation.town),
        Cell(", ".join(domains)),
    ]


@staff(Permission.MANAGE_ORGANISATIONS)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    form = NewOrganisationForm(typed(request))
    made: list[Organisation] = []

    def verb() -> None:
        made.append(organisations.add(**form.cleaned_data, by=person_of(request)))

    words = Words(
        title="Add an organisation",
        button="Add",
        done="The organisation was added. Give it a domain next; "
        "mail flows once it is activated.",
        back=url("organisations"),
        text="For an organisation that has not applied. No mail flows for it yet.",
        icon=ICON,
        above=ABOVE,
    )
    response = act(request, form, verb, words)
    return redirect("members:domains", made[0].pk) if made else response
