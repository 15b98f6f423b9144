"""All people, found and listed; and adding a member of staff."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import people
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.account_admin import tasks
from portal.console.access import staff
from portal.console.confirmation import form_page
from portal.console.organisations.frame import member_url
from portal.console.page import Button, Page, Section, render_page
from portal.console.people.forms import PeopleFilter, StaffForm
from portal.console.people.frame import ABOVE, ICON, person_url
from portal.console.people.people_table import people_table, search_people
from portal.ui.confirmation import Confirmation
from portal.ui.forms import post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """People of all organisations, and staff, by name."""
    search = PeopleFilter(request)
    rows = Person.objects.select_related("organisation")
    found = paginate(
        request,
        search_people(rows, search.criteria),
        by="name",
        searched=rows if search.criteria["q"] else None,
    )
    buttons = [
        Button(
            "Add a member of staff", member_url("staff_add"), Permission.MANAGE_STAFF
        )
    ]
    sections = [
        Section(buttons=buttons),
        Section(table=people_table(found.rows, is_search=search.is_search)),
    ]
    return render_page(
        request, Page("People", ICON, sections, filters=search, links=found.links)
    )


@staff(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def add_staff(request: HttpRequest) -> HttpResponse:
    """Adds a member of staff, who has no role at first."""
    form = StaffForm(post_data(request))
    added: list[Person] = []

    @transaction.atomic
    def add() -> None:
        person = people.add(None, **form.cleaned_data, by=signed_in_person(request))
        tasks.invite(person)
        added.append(person)

    page = Confirmation(
        title="Add a member of staff",
        button="Add",
        done="A link to choose a password is on its way. Give them a role next.",
        text="Add people of an organisation on its own page.",
    )
    return form_page(
        request,
        form,
        add,
        page,
        back=lambda: person_url(added[0]) if added else member_url("people"),
        icon=ICON,
        above=ABOVE,
    )
