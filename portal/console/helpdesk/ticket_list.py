"""The list of tickets, and the mail that the helpdesk received."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.page import numbered_page, render_template
from portal.helpdesk.models import CollectedMessage, Ticket
from portal.helpdesk.models.ticket import TicketQuerySet
from portal.helpdesk.status import Outcome, Status
from portal.ui.visitor import signed_in_person

ICON = "help"
PER_PAGE = 50
ABOVE = (("desk:index", "Tickets"),)


@dataclass(frozen=True, slots=True)
class Tab:
    """One selection of tickets."""

    key: str
    label: str


TABS = (
    Tab("unfinished", "All open"),
    Tab("mine", "Mine"),
    Tab("unassigned", "Unassigned"),
    Tab("breaching", "Late or due soon"),
    *(Tab(status.value, status.label) for status in Status),
)


@staff(Permission.VIEW_TICKETS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Tickets, the newest first; late ones by due date."""
    key = request.GET.get("view", "unfinished")
    if key not in {tab.key for tab in TABS}:
        key = "unfinished"
    rows = _selection(key, signed_in_person(request)).select_related(
        "owner", "organisation", "requester"
    )
    found = list(_page(rows, key, request.GET.get("before", "")))
    has_more = len(found) > PER_PAGE
    context = {
        "tabs": TABS,
        "current": key,
        "tickets": found[:PER_PAGE],
        "older": found[PER_PAGE - 1].pk if has_more and key != "breaching" else None,
    }
    return render_template(request, "helpdesk/index", "Tickets", ICON, context)


def _selection(key: str, person: Person) -> TicketQuerySet:
    match key:
        case "mine":
            return Ticket.objects.unfinished().filter(owner=person)
        case "unassigned":
            return Ticket.objects.unassigned()
        case "breaching":
            return Ticket.objects.breaching(timezone.now())
        case "unfinished":
            return Ticket.objects.unfinished()
        case _:
            return Ticket.objects.filter(status=key)


def _page(rows: TicketQuerySet, key: str, before: str) -> TicketQuerySet:
    if key == "breaching":
        return rows.order_by("due_at", "pk")[: PER_PAGE + 1]
    if before.isascii() and before.isdigit():
        rows = rows.filter(pk__lt=int(before[:12]))
    return rows.order_by("-pk")[: PER_PAGE + 1]


@staff(Permission.VIEW_TICKETS)
@require_safe
def mail(request: HttpRequest) -> HttpResponse:
    """What happened to each message to the helpdesk, ignored ones first."""
    rows = CollectedMessage.objects.select_related("ticket").order_by("-pk")
    shows_all = request.GET.get("all") == "1"
    if not shows_all:
        rows = rows.filter(outcome=Outcome.IGNORED)
    context = {**numbered_page(request, rows), "shows_all": shows_all}
    return render_template(
        request, "helpdesk/mail", "Mail to the helpdesk", "mail", context, above=ABOVE
    )
