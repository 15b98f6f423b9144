"""The organisation's people: found, listed and added."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import people
from engine.registry.models import Organisation, OrganisationRole, Person, RoleName
from portal.account_admin import tasks
from portal.organisation.filters import PeopleFilter
from portal.organisation.frame import person_url, render_section
from portal.organisation.people.forms import NewPersonForm
from portal.organisation.people.person import PEOPLE, SECTION
from portal.ui.forms import post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person


@PEOPLE
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """People by name."""
    search = PeopleFilter(request)
    text = search.criteria["q"]
    page = paginate(
        request,
        _filtered(organisation, text, search.criteria["status"]),
        by="name",
        searched=organisation.people.all() if text else None,
    )
    context = {"page": page, "filter": search}
    return render_section(request, organisation, "people", SECTION, context)


def _filtered(organisation: Organisation, text: str, status: str) -> QuerySet[Person]:
    role = OrganisationRole.objects.filter(
        person=OuterRef("pk"),
        organisation=organisation,
        role=RoleName.ADMINISTRATOR,
    )
    rows = organisation.people.annotate(is_administrator=Exists(role))
    rows = rows.filter(Person.found_by(text))
    if status == "administrators":
        return rows.filter(is_administrator=True)
    if status == "ex-directory":
        return rows.filter(is_ex_directory=True)
    if status in ("active", "suspended"):
        return rows.filter(is_active=status == "active")
    return rows


@PEOPLE
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Adds a person, and sends the link to choose a password if asked to."""
    form = NewPersonForm(post_data(request), organisation=organisation)
    added: list[Person] = []

    @transaction.atomic
    def run() -> None:
        person = people.add(
            organisation,
            address=form.cleaned_data["address"],
            by=signed_in_person(request),
            **form.details,
        )
        if form.cleaned_data["sends_link"]:
            tasks.invite(person)
        added.append(person)

    if form.submit(run, field="address"):
        messages.success(request, f"{added[0].name} has been added.")
        return redirect(person_url(added[0]))
    context = {"form": form}
    return render_section(request, organisation, "person_add", SECTION, context)
