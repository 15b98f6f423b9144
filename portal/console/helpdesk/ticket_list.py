"""The list of tickets, and the mail that the helpdesk received."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import held_as_staff, staff
from portal.console.helpdesk.forms import agents
from portal.console.page import numbered_page, render_template
from portal.helpdesk import sla
from portal.helpdesk.models import CannedReply, CollectedMessage, Ticket
from portal.helpdesk.models.ticket import OVER, TicketQuerySet
from portal.helpdesk.status import Outcome, Status
from portal.ui.filters import FilterForm, text_filter
from portal.ui.visitor import signed_in_person

ICON = "help"
PER_PAGE = 50
# The highest count of a tab that is shown exactly.
COUNT_LIMIT = 999
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


class TicketSearch(FilterForm):
    """The search box above the tickets."""

    q = text_filter("Search these tickets")


@staff(Permission.VIEW_TICKETS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Tickets, the newest first; late ones by due date."""
    key = request.GET.get("view", "unfinished")
    if key not in {tab.key for tab in TABS}:
        key = "unfinished"
    person = signed_in_person(request)
    search = TicketSearch(request)
    sought = search.criteria["q"]
    rows = (
        _selection(key, person)
        .matching(sought)
        .select_related("owner", "organisation", "requester")
    )
    found = list(_page(rows, key, request.GET.get("before", "")))
    has_more = len(found) > PER_PAGE
    counts = _counts(person)
    may_act = Permission.ANSWER_TICKETS in held_as_staff(person)
    context = {
        "tabs": [(tab, counts[tab.key]) for tab in TABS],
        "current": key,
        "before": request.GET.get("before", ""),
        "search": search,
        "sought": sought,
        "tickets": found[:PER_PAGE],
        "older": found[PER_PAGE - 1].pk if has_more and key != "breaching" else None,
        "may_act": may_act,
        "agents": agents() if may_act else (),
        "canned_replies": CannedReply.objects.all() if may_act else (),
    }
    return render_template(request, "helpdesk/index", "Tickets", ICON, context)


def _counts(person: Person) -> dict[str, str]:
    """Returns how many tickets each tab has; of those that are over, up to COUNT_LIMIT."""
    warned = sla.warning_until(timezone.now())
    kinds = {
        "unfinished": Q(),
        "mine": Q(owner=person),
        "unassigned": Q(owner=None),
        "breaching": Q(due_at__lte=warned),
        **{status.value: Q(status=status) for status in Status if not status.is_over},
    }
    counted = {key: Count("pk", filter=kind) for key, kind in kinds.items()}
    found = Ticket.objects.unfinished().order_by().aggregate(**counted)
    shown = {key: str(count) for key, count in found.items()}
    for status in OVER:
        rows = Ticket.objects.filter(status=status).order_by()
        count = rows[: COUNT_LIMIT + 1].count()
        shown[status.value] = f"{COUNT_LIMIT}+" if count > COUNT_LIMIT else str(count)
    return shown


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
    rows = rows.annotate(last_entry=Max("entries__pk"))
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
