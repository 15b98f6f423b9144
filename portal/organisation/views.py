"""What administrators see of their own organisation, and of no other."""

from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from engine.registry.access import requires, signed_in
from engine.registry.models import Organisation, Person, RoleName
from engine.registry.permissions import Permission
from portal.organisation.facts import connection_values

PEOPLE_PER_PAGE = 50


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """The organisation that the person administers; a choice where there are several."""
    own = Organisation.objects.filter(
        roles__person=cast(Person, request.user), roles__role=RoleName.ADMINISTRATOR
    )
    organisations = list(own)
    if len(organisations) == 1:
        return redirect("organisation:show", organisations[0].pk)
    context = {"organisations": organisations}
    return render(request, "organisation/choose.html", context)


@requires(Permission.EDIT_ORGANISATION, organisation_from="organisation_id")
def show(request: HttpRequest, organisation_id: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation, pk=organisation_id)
    context = {
        "organisation": organisation,
        "domains": organisation.domains.all(),
        "people_count": organisation.people.count(),
        "connections": connection_values(organisation),
        "group_mailboxes": organisation.mailboxes.filter(owner=None),
        "lists": organisation.distribution_lists.all(),
    }
    return render(request, "organisation/home.html", context)


@requires(Permission.MANAGE_PEOPLE, organisation_from="organisation_id")
def people(request: HttpRequest, organisation_id: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation, pk=organisation_id)
    paginator = Paginator(organisation.people.order_by("name", "pk"), PEOPLE_PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    administrators = set(
        organisation.roles.filter(
            role=RoleName.ADMINISTRATOR, person__in=page.object_list
        ).values_list("person_id", flat=True)
    )
    context = {
        "organisation": organisation,
        "page": page,
        "administrators": administrators,
        "pagination": _pagination(page),
    }
    return render(request, "organisation/people.html", context)


def _pagination(page: Page[Person]) -> dict[str, Any]:
    """The links to the pages before and after, as GOV.UK's component takes them."""
    links: dict[str, Any] = {}
    if page.has_previous():
        links["previous"] = {"href": f"?page={page.previous_page_number()}"}
    if page.has_next():
        links["next"] = {"href": f"?page={page.next_page_number()}"}
    return links
