"""Everybody in the organisation: found, listed, added."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import people
from engine.registry.models import Organisation, OrganisationRole, Person, RoleName
from engine.registry.permissions import Permission
from portal.account_admin import tasks
from portal.organisation.filters import PeopleFilter
from portal.organisation.frame import show, visitor, within
from portal.organisation.people.forms import NewPersonForm
from portal.ui.pagination import paged


@within(Permission.MANAGE_PEOPLE)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Everybody by name; by `q` in name, address or job title, and by `status`."""
    search = PeopleFilter(request)
    rows = _found(organisation, search.criteria["q"], search.criteria["status"])
    context = {"page": paged(request, rows, by="name"), "filter": search}
    return show(request, organisation, "people", "people", context)


def _found(organisation: Organisation, sought: str, status: str) -> QuerySet[Person]:
    role = OrganisationRole.objects.filter(
        person=OuterRef("pk"),
        organisation=organisation,
        role=RoleName.ADMINISTRATOR,
    )
    rows = organisation.people.annotate(is_administrator=Exists(role))
    for word in sought.split():
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(address__icontains=word)
            | Q(job_title__icontains=word)
        )
    if status == "administrators":
        return rows.filter(is_administrator=True)
    if status == "ex-directory":
        return rows.filter(is_ex_directory=True)
    if status in ("active", "suspended"):
        return rows.filter(is_active=status == "active")
    return rows


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = NewPersonForm(request.POST or None, organisation=organisation)
    made: list[Person] = []

    @transaction.atomic
    def verb() -> None:
        person = people.add(
            organisation,
            address=form.cleaned_data["address"],
            by=visitor(request),
            **form.details,
        )
        if form.cleaned_data["sends_link"]:
            tasks.invite(person)
        made.append(person)

    if form.submit(verb, field="address"):
        messages.success(request, f"{made[0].name} has been added.")
        return redirect("organisation:person", organisation.pk, made[0].pk)
    return show(request, organisation, "person_add", "people", {"form": form})
