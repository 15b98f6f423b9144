"""Search of delivered mail: which messages were meant, and how far each got."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from engine.audit.record import record as audit
from engine.incidents import reach, search
from engine.incidents.message_keys import Kind
from engine.incidents.models import MessageKey
from engine.incidents.reach import Reach
from engine.incidents.search import Criteria
from engine.registry.errors import PolicyError
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.ui.date_formats import end_of_day, format_datetime, start_of_day
from portal.ui.filters import FilterForm, date_filter, text_filter
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person

ICON = "search"
TITLE = "Delivered mail"
ABOVE = (("console:delivered", TITLE),)
MANAGE = Permission.MANAGE_QUARANTINE
DAYS = 7  # looked back where no first day is given
HEADINGS = ("Accepted", "Sender", "To", "How far it got", "Reference")
HELP = (
    "Finds messages by what you know of them, and says how far each got. What is in them "
    "is shown nowhere, and each search is recorded in the audit trail. Several criteria "
    "must all be met."
)


class DeliveredFilter(FilterForm):
    """What to find, and in which days."""

    file = text_filter("SHA-256 of an attached file")
    sender = text_filter("Sender’s whole address")
    subject = text_filter("Whole subject")
    message_id = text_filter("Message-ID")
    since = date_filter("First day")
    until = date_filter("Last day")


def criteria_of(request: HttpRequest) -> Criteria:
    """Returns what the query string asks for. Raises PolicyError."""
    given = DeliveredFilter(request).criteria
    now = timezone.now()
    return search.criteria(
        {kind: given[kind] for kind in Kind},
        since=start_of_day(given["since"]) or now - timedelta(days=DAYS),
        until=end_of_day(given["until"]) or now,
    )


@staff(MANAGE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The messages that meet the criteria, the newest first."""
    form = DeliveredFilter(request)
    page = Page(TITLE, ICON, [Section(text=HELP)], filters=form)
    if not form.is_search:
        return render_page(request, page)
    try:
        criteria = criteria_of(request)
    except PolicyError as refusal:
        sections = [Section(text=str(refusal))]
        return render_page(request, Page(TITLE, ICON, sections, filters=form))
    audit(
        "delivered.searched",
        signed_in_person(request),
        organisation_key="",
        detail=criteria.typed,
        by=signed_in_person(request),
    )
    rows = search.find(criteria.keys, criteria.since, criteria.until)
    found = paginate(request, rows, by="at", descending=True)
    section = _found(request, criteria, search.count(rows), found.rows)
    return render_page(
        request, Page(TITLE, ICON, [section], filters=form, links=found.links)
    )


def _found(
    request: HttpRequest, criteria: Criteria, count: int, rows: list[MessageKey]
) -> Section:
    reached = reach.of({row.reference for row in rows})
    table = Table(
        HEADINGS,
        [_row(row, reached.get(row.reference, Reach())) for row in rows],
        "No message meets these criteria.",
    )
    withdraw = f"{reverse('console:withdraw')}?{request.GET.urlencode()}"
    is_takeable = 0 < count <= search.MOST
    return Section(
        f"{_number(count)} found",
        text=_how_complete(criteria),
        table=table,
        buttons=[Button("Withdraw what was found", withdraw, MANAGE, True)]
        if is_takeable
        else [],
    )


def _number(count: int) -> str:
    if count > search.MOST:
        return f"More than {search.MOST:,} messages"
    return f"{count:,} message{'' if count == 1 else 's'}"


def _how_complete(criteria: Criteria) -> str:
    """Says from when until when messages can be found, where that is not the whole span."""
    index = search.indexed()
    if index.until is None or index.since is None:
        return "No message has been indexed yet. Search again in a minute or two."
    said = [f"Mail accepted until {format_datetime(index.until)} can be found."]
    if criteria.since < index.since:
        said.append(f"The index begins on {format_datetime(index.since)}.")
    return " ".join(said)


def _row(row: MessageKey, reached: Reach) -> list[Cell]:
    return [
        Cell(at=row.at),
        Cell(reached.sender or "(notice)"),
        Cell(f"{reached.recipients:,}"),
        Cell(how_far(reached)),
        Cell(row.reference, reverse("console:story", args=[row.reference])),
    ]


def how_far(reached: Reach) -> str:
    """Returns in words how far a message got."""
    parts = (
        (reached.unopened, "unopened in mailboxes"),
        (reached.opened, "opened"),
        (reached.fetched, "fetched by a program"),
        (reached.forwarded, "forwarded"),
        (reached.withdrawn, "withdrawn"),
        (reached.erased, "deleted by the reader"),
        (reached.servers, "handed to servers"),
        (reached.lists, "sent on by lists"),
        (reached.waiting, "waiting"),
        (reached.failed, "returned or dropped"),
    )
    return ", ".join(f"{number:,} {words}" for number, words in parts if number) or "—"
