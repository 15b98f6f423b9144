"""Tabs of an organisation: its people, tickets, applications, messages and audit trail."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.audit.models import Entry
from engine.registry.models import Person
from engine.registry.permissions import Permission
from onboarding.models import Application
from portal.console.access import staff
from portal.console.organisations.frame import get_organisation, render_tab
from portal.console.page import Button, Cell, Section, Table
from portal.console.people.forms import PeopleFilter
from portal.console.people.people_table import people_table, search_people
from portal.helpdesk.models import Ticket
from portal.organisation.filters import HistoryFilter, TraceFilter
from portal.organisation.mail import trace_search
from portal.organisation.mail.trace_line import Line
from portal.organisation.mail.trace_query import Shown, parse_query
from portal.ui import audit_entries
from portal.ui.pagination import Page, paginate

APPLICATIONS_SHOWN = 100


@staff(Permission.VIEW_ORGANISATION)
@require_safe
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's people."""
    organisation = get_organisation(pk)
    search = PeopleFilter(request)
    rows = Person.objects.filter(organisation=organisation)
    rows = rows.select_related("organisation")
    page = paginate(
        request,
        search_people(rows, search.criteria),
        by="name",
        searched=rows if search.criteria["q"] else None,
    )
    add = reverse("organisation:person_add", args=[pk])
    section = Section(
        table=people_table(page.rows, is_search=search.is_search),
        buttons=[Button("Add a person", add, Permission.MANAGE_PEOPLE)],
    )
    return render_tab(
        request,
        organisation,
        "organisation_people",
        [section],
        filters=search,
        links=page.links,
    )


@staff(Permission.VIEW_TICKETS)
@require_safe
def tickets(request: HttpRequest, pk: int) -> HttpResponse:
    """Tickets of the organisation's people."""
    organisation = get_organisation(pk)
    page = paginate(
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
    empty = "None of its people has contacted the helpdesk yet."
    section = Section(table=Table(headings, rows, empty))
    return render_tab(
        request, organisation, "organisation_tickets", [section], links=page.links
    )


@staff(Permission.VIEW_APPLICATIONS)
@require_safe
def applications(request: HttpRequest, pk: int) -> HttpResponse:
    """The applications through which the organisation joined."""
    organisation = get_organisation(pk)
    found = Application.objects.submitted().filter(organisation=organisation)
    rows = [
        [
            Cell(row.reference, reverse("vetting:inspect", args=[row.pk])),
            Cell(row.organisation_name),
            Cell(row.get_status_display()),
            Cell(at=row.submitted_at),
        ]
        for row in found.order_by("-pk")[:APPLICATIONS_SHOWN]
    ]
    headings = ("Reference", "Name", "Status", "Submitted")
    empty = "It did not join through an application: staff added it."
    section = Section(table=Table(headings, rows, empty))
    return render_tab(request, organisation, "organisation_applications", [section])


@staff(Permission.TRACE_MESSAGES)
@require_safe
def trace(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's newest messages, as its own administrators see them."""
    organisation = get_organisation(pk)
    search = TraceFilter(request)
    found = trace_search.find(organisation, parse_query(search.criteria))
    rows = [
        [
            Cell(at=line.at),
            Cell(line.kind.label, is_alarming=line.kind is Shown.REFUSED),
            Cell(line.sender or "(notice)"),
            Cell(_recipients(line)),
            Cell(line.reference, reverse("console:story", args=[line.reference])),
        ]
        for line in found.lines
    ]
    headings = ("When", "Direction", "Sender", "Recipients", "Reference")
    empty = (
        "No message matches. Remove a filter."
        if search.is_search
        else "It has sent and received nothing yet."
    )
    section = Section(table=Table(headings, rows, empty))
    return render_tab(
        request, organisation, "organisation_trace", [section], filters=search
    )


def _recipients(line: Line) -> str:
    more = line.number - 1
    return f"{line.recipient} and {more} more" if more > 0 else line.recipient


@staff(Permission.VIEW_AUDIT)
@require_safe
def audit(request: HttpRequest, pk: int) -> HttpResponse:
    """The organisation's audit trail."""
    organisation = get_organisation(pk)
    search = HistoryFilter(request)
    entries = audit_entries.of_organisation(organisation, search.criteria["q"])
    page: Page[Entry] = paginate(request, entries, descending=True)
    rows = [
        [
            Cell(at=entry.at),
            Cell(audit_entries.event_label(entry.event)),
            Cell(entry.subject_name),
            Cell(entry.by_name),
        ]
        for entry in page.rows
    ]
    headings = ("When", "What", "About", "By")
    section = Section(table=Table(headings, rows, "No entry matches."))
    return render_tab(
        request,
        organisation,
        "organisation_audit",
        [section],
        filters=search,
        links=page.links,
    )
