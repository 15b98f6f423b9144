"""Everybody: found and listed; and those who work for the service."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import people
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.account_admin import tasks
from portal.console.access import staff
from portal.console.confirmation import Words, act, person_of, typed
from portal.console.organisations.forms import PeopleFilter, StaffForm
from portal.console.organisations.frame import PEOPLE_ABOVE, PERSON_ICON, url
from portal.console.people.people_table import people_table, search_people
from portal.console.sheet import Button, Section, Sheet, draw
from portal.ui.pagination import paged


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    search = PeopleFilter(request)
    rows = Person.objects.select_related("organisation")
    page = paged(request, search_people(rows, search.criteria), by="name")
    buttons = [
        Button("Add a member of staff", url("staff_add"), Permission.MANAGE_STAFF)
    ]
    sections = [
        Section(buttons=buttons),
        Section(table=people_table(page.rows, is_search=search.is_search)),
    ]
    sheet = Sheet("People", PERSON_ICON, sections, filters=search, links=page.links)
    return draw(request, sheet)


@staff(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def add_staff(request: HttpRequest) -> HttpResponse:
    """Somebody who works for the service, without a role as yet."""
    form = StaffForm(typed(request))
    made: list[Person] = []

    @transaction.atomic
    def verb() -> None:
        person = people.add(None, **form.cleaned_data, by=person_of(request))
        tasks.invite(person)
        made.append(person)

    words = Words(
        title="Add a member of staff",
        button="Add",
        done="A link to choose a password is on its way. Give them a role next.",
        back=url("people"),
        text="People of an organisation are added on its own page.",
        icon=PERSON_ICON,
        above=PEOPLE_ABOVE,
    )
    response = act(request, form, verb, words)
    return redirect("members:person", made[0].pk) if made else response
