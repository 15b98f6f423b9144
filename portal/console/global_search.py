"""One search over everything that the visitor's roles may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from engine.registry.models import (
    Alias,
    DistributionList,
    Domain,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.registry.permissions import Permission, Visitor
from engine.trace.models import Event
from onboarding.models import Application
from portal.console.access import held_as_staff
from portal.console.organisations.frame import url
from portal.console.sheet import Cell, Section, Table
from portal.helpdesk.models import Ticket
from portal.helpdesk.ticket_links import ticket_in_subject

MOST = 10  # of each kind
SHORTEST = 2  # characters worth looking for

Row = list[Cell]


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be found, by whom, and how."""

    label: str
    permission: Permission
    find: Callable[[str], list[Row]]


def sections(person: Visitor, sought: str) -> list[Section]:
    """What was found, one section for each kind of thing that there is any of."""
    if len(sought) < SHORTEST:
        return []
    held = held_as_staff(person)
    found = [
        (kind.label, kind.find(sought)) for kind in KINDS if kind.permission in held
    ]
    return [
        Section(label, table=Table(("Name", "What it is", "State"), rows, ""))
        for label, rows in found
        if rows
    ]


def _organisations(sought: str) -> list[Row]:
    by_domain = Domain.objects.filter(
        Q(member_domain__icontains=sought) | Q(community_domain__icontains=sought)
    )
    rows = Organisation.objects.filter(
        Q(name__icontains=sought) | Q(pk__in=by_domain.values("organisation"))
    )
    return [
        [
            Cell(row.name, url("organisation", row.pk)),
            Cell(row.get_account_type_display()),
            Cell(row.get_status_display()),
        ]
        for row in rows[:MOST]
    ]


def _people(sought: str) -> list[Row]:
    rows = Person.objects.filter(
        Q(name__icontains=sought) | Q(address__icontains=sought)
    )
    return [
        [
            Cell(row.name, url("person", row.pk)),
            Cell(row.address),
            Cell("Active" if row.is_active else "Suspended"),
        ]
        for row in rows[:MOST]
    ]


def _addresses(sought: str) -> list[Row]:
    """What is an address and no person: group mailboxes, lists and aliases."""
    wanted = Q(address__icontains=sought)
    mailboxes = Mailbox.objects.filter(wanted, kind=MailboxKind.GROUP)[:MOST]
    lists = DistributionList.objects.filter(wanted)[:MOST]
    aliases = Alias.objects.filter(wanted)[:MOST]
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
                Cell(row.address, url("organisation", row.organisation_id)),
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
        Cell(row.address, url(name, row.organisation_id, row.pk)),
        Cell(what),
        Cell("Active" if is_active else "Suspended"),
    ]


def _messages(sought: str) -> list[Row]:
    event = Event.objects.filter(reference=sought.upper()).order_by("-pk").first()
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


def _tickets(sought: str) -> list[Row]:
    number = ticket_in_subject(sought)
    rows = Ticket.objects.filter(
        Q(pk=number) if number else Q(requester_address__iexact=sought)
    )
    return [
        [
            Cell(row.number, reverse("desk:ticket", args=[row.pk])),
            Cell(row.subject),
            Cell(row.get_status_display()),
        ]
        for row in rows.order_by("-pk")[:MOST]
    ]


def _applications(sought: str) -> list[Row]:
    rows = Application.objects.submitted().filter(
        Q(reference__iexact=sought)
        | Q(organisation_name__icontains=sought)
        | Q(member_domain__icontains=sought)
    )
    return [
        [
            Cell(row.reference, reverse("vetting:inspect", args=[row.pk])),
            Cell(row.organisation_name),
            Cell(row.get_status_display()),
        ]
        for row in rows.order_by("-pk")[:MOST]
    ]


KINDS = (
    Kind("Organisations", Permission.VIEW_ORGANISATION, _organisations),
    Kind("People", Permission.VIEW_ORGANISATION, _people),
    Kind("Addresses", Permission.VIEW_ORGANISATION, _addresses),
    Kind("Messages", Permission.TRACE_MESSAGES, _messages),
    Kind("Tickets", Permission.VIEW_TICKETS, _tickets),
    Kind("Applications", Permission.VIEW_APPLICATIONS, _applications),
)
