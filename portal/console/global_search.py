"""One search across everything that the visitor's roles permit them to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry.models import (
    Alias,
    DistributionList,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.registry.permissions import Permission, Visitor
from engine.trace.models import Event
from onboarding.models import Application
from portal.console.access import held_as_staff, staff
from portal.console.organisations import organisation_list
from portal.console.organisations.frame import member_url
from portal.console.page import Cell, Page, Section, Table, render_page
from portal.helpdesk.models import Ticket
from portal.helpdesk.ticket_links import ticket_in_subject
from portal.ui.filters import FilterForm, text_filter

LISTED = 10  # of each kind
SHORTEST = 2  # characters of a search

HINT = (
    "Search for an organisation, a person, an address, a domain, a message's reference, "
    "a ticket's number or an application's reference."
)
NOTHING = "Nothing that you have access to matches. Try part of the name or address."
Row = list[Cell]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that can be found, and the permission to find it."""

    label: str
    permission: Permission
    find: Callable[[str], list[Row]]


class SearchForm(FilterForm):
    """The search box."""

    q = text_filter("Search everything")


@staff(Permission.USE_CONSOLE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everything that matches, in what the visitor's roles permit them to see."""
    form = SearchForm(request)
    found = search(request.user, form.criteria["q"])
    sections = found or [Section(text=NOTHING if form.is_search else HINT)]
    return render_page(request, Page("Search", "search", sections, filters=form))


def search(person: Visitor, text: str) -> list[Section]:
    """Returns one section for each kind of which anything was found."""
    if len(text) < SHORTEST:
        return []
    held = held_as_staff(person)
    found = [(kind.label, kind.find(text)) for kind in KINDS if kind.permission in held]
    return [
        Section(label, table=Table(("Name", "What it is", "State"), rows, ""))
        for label, rows in found
        if rows
    ]


def _organisations(text: str) -> list[Row]:
    rows = Organisation.objects.filter(organisation_list.found_by(text))
    return [
        [
            Cell(row.name, member_url("organisation", row.pk)),
            Cell(row.get_account_type_display()),
            Cell(row.get_status_display()),
        ]
        for row in rows[:LISTED]
    ]


def _people(text: str) -> list[Row]:
    rows = Person.objects.filter(Person.found_by(text))
    return [
        [
            Cell(row.name, member_url("person", row.pk)),
            Cell(row.address),
            Cell("Active" if row.is_active else "Suspended"),
        ]
        for row in rows[:LISTED]
    ]


def _addresses(text: str) -> list[Row]:
    """Addresses of no person: group mailboxes, lists and aliases."""
    groups = Mailbox.objects.filter(kind=MailboxKind.GROUP)
    # Not in the order of addresses, whose index holds everyone's mailbox as well.
    mailboxes = groups.filter(Mailbox.found_by(text)).order_by("name", "pk")[:LISTED]
    lists = DistributionList.objects.filter(DistributionList.found_by(text))[:LISTED]
    aliases = Alias.objects.filter(Alias.found_by(text))[:LISTED]
    return [
        *(
            _address(row, "mailbox", "Group mailbox", is_active=row.is_active)
            for row in mailboxes
        ),
        *(
            _address(row, "list", "Distribution list", is_active=row.is_active)
            for row in lists
        ),
        *(
            [
                Cell(row.address, member_url("organisation", row.organisation_id)),
                Cell(f"Alias of {row.target}"),
                Cell(),
            ]
            for row in aliases
        ),
    ]


def _address(
    row: Mailbox | DistributionList, name: str, what: str, *, is_active: bool
) -> Row:
    return [
        Cell(row.address, member_url(name, row.organisation_id, row.pk)),
        Cell(what),
        Cell("Active" if is_active else "Suspended"),
    ]


def _messages(text: str) -> list[Row]:
    event = Event.objects.filter(reference=text.upper()).order_by("-pk").first()
    if event is None:
        return []
    href = reverse("console:story", args=[event.reference])
    return [
        [
            Cell(event.reference, href),
            Cell("Message"),
            Cell(event.get_kind_display()),
        ]
    ]


def _tickets(text: str) -> list[Row]:
    number = ticket_in_subject(text)
    rows = Ticket.objects.filter(
        Q(pk=number) if number else Q(requester_address__iexact=text)
    )
    return [
        [
            Cell(row.number, reverse("desk:ticket", args=[row.pk])),
            Cell(row.subject),
            Cell(row.get_status_display()),
        ]
        for row in rows.order_by("-pk")[:LISTED]
    ]


def _applications(text: str) -> list[Row]:
    rows = Application.objects.submitted().filter(Application.found_by(text))
    return [
        [
            Cell(row.reference, reverse("vetting:inspect", args=[row.pk])),
            Cell(row.organisation_name),
            Cell(row.get_status_display()),
        ]
        for row in rows.order_by("-pk")[:LISTED]
    ]


KINDS = (
    Kind("Organisations", Permission.VIEW_ORGANISATION, _organisations),
    Kind("People", Permission.VIEW_ORGANISATION, _people),
    Kind("Addresses", Permission.VIEW_ORGANISATION, _addresses),
    Kind("Messages", Permission.TRACE_MESSAGES, _messages),
    Kind("Tickets", Permission.VIEW_TICKETS, _tickets),
    Kind("Applications", Permission.VIEW_APPLICATIONS, _applications),
)
