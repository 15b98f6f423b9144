"""What else there is about an organisation: people, tickets, applications, records."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person
from engine.registry.permissions import Permission
from onboarding.models import Application
from portal.console.access import staff
from portal.console.organisations.forms import PeopleFilter
from portal.console.organisations.frame import ABOVE, ICON, organisation_of, tabs
from portal.console.people.people_table import people_table, search_people
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw
from portal.helpdesk.models import Ticket
from portal.organisation.filters import HistoryFilter, TraceFilter
from portal.organisation.mail import trace_search
from portal.ui import audit_entries
from portal.ui.pagination import Page, paged

MOST = 100  # rows of a tab that is no list of its own


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def people(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    search = PeopleFilter(request)
    rows = search_people(
        Person.objects.filter(organisation=organisation), search.criteria
    )
    page = paged(request, rows, by="name")
    add = reverse("organisation:person_add", args=[pk])
    section = Section(
        table=people_table(page.rows, is_search=search.is_search),
        buttons=[Button("Add a person", add, Permission.MANAGE_PEOPLE)],
    )
    return _tab(request, organisation, "organisation_people", section, search, page)


@staff(Permission.VIEW_TICKETS)
@require_safe
def tickets(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    page = paged(
        request, Ticket.objects.filter(organisation=organisation), descending=True
    )
    rows = [
        [
            Cell(ticket.number, reverse("desk:ticket", args=[ticket.pk])),
            Cell(ticket.subject),
            Cell(ticket.get_status_display()),
            Cell(at=ticket.created_at),
        ]
        for ticket in page.rows
    ]
    headings = ("Number", "Subject", "Status", "Asked")
    table = Table(headings, rows, "Nobody of theirs has asked anything yet.")
    section = Section(table=table)
    return _tab(request, organisation, "organisation_tickets", section, None, page)


@staff(Permission.VIEW_APPLICATIONS)
@require_safe
def applications(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    found = Application.objects.submitted().filter(organisation=organisation)
    rows = [
        [
            Cell(row.reference, reverse("vetting:inspect", args=[row.pk])),
            Cell(row.organisation_name),
            Cell(row.get_status_display()),
            Cell(at=row.submitted_at),
        ]
        for row in found.order_by("-pk")[:MOST]
    ]
    headings = ("Reference", "Name", "Status", "Sent in")
    empty = "It did not join by an application: staff added it."
    section = Section(table=Table(headings, rows, empty))
    return _tab(request, organisation, "organisation_applications", section)


@staff(Permission.TRACE_MESSAGES)
@require_safe
def trace(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's newest messages, as its administrators see them."""
    organisation = organisation_of(pk)
    search = TraceFilter(request)
    found = trace_search.find(organisation, trace_search.query_of(search.criteria))
    rows = [
        [
            Cell(at=line.at),
            Cell("Sent" if line.is_sent else "Received"),
            Cell(line.sender or "(notice)"),
            Cell(", ".join(one.address for one in line.recipients[:3])),
            Cell(line.reference, reverse("console:story", args=[line.reference])),
        ]
        for line in found
    ]
    headings = ("When", "Direction", "Sender", "Recipients", "Reference")
    empty = (
        "No message fits. Take a filter away."
        if search.is_search
        else "It has sent nothing yet. Look for a recipient to see what it received."
    )
    section = Section(table=Table(headings, rows, empty))
    return _tab(request, organisation, "organisation_trace", section, search)


@staff(Permission.VIEW_AUDIT)
@require_safe
def audit(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = organisation_of(pk)
    search = HistoryFilter(request)
    page: Page[Entry] = paged(
        request,
        audit_entries.entries(organisation, search.criteria["q"]),
        descending=True,
    )
    rows = [
        [
            Cell(at=entry.at),
            Cell(audit_entries.words(entry.event)),
            Cell(entry.subject_name),
            Cell(entry.by_name),
        ]
        for entry in page.rows
    ]
    headings = ("When", "What", "About", "By")
    section = Section(table=Table(headings, rows, "Nothing of this kind was done."))
    return _tab(request, organisation, "organisation_audit", section, search, page)


def _tab(
    request: HttpRequest,
    organisation: Organisation,
    name: str,
    section: Section,
    search: PeopleFilter | TraceFilter | HistoryFilter | None = None,
    page: Page[Person] | Page[Ticket] | Page[Entry] | None = None,
) -> HttpResponse:
    sheet = Sheet(
        organisation.name,
        ICON,
        [section],
        above=ABOVE,
        tabs=tabs(request, organisation, name),
        filters=search,
        links=page.links if page else {},
    )
    return draw(request, sheet)
