"""Refusals of clients that proved nothing, by source and hour."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from engine.trace.models import StrangerCount
from portal.console.access import staff
from portal.console.mail.trace import ABOVE, ICON
from portal.console.page import Cell, Page, Section, Table, render_page
from portal.ui.filters import FilterForm, text_filter
from portal.ui.pagination import paginate

HEADINGS = ("Hour", "Source", "Refused", "Last reply")
TEXT = (
    "Who these clients are is not known, so that no organisation sees them. An engine "
    "names at most a thousand sources an hour and counts others together."
)


class StrangersFilter(FilterForm):
    """Filters counts by their source."""

    q = text_filter("Address, or in IPv6 its /64")


@staff(Permission.TRACE_MESSAGES)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The counts, the newest hour first."""
    search = StrangersFilter(request)
    rows = StrangerCount.objects.all()
    if search.criteria["q"]:
        rows = rows.filter(source=search.criteria["q"])
    found = paginate(request, rows, by="hour", descending=True)
    cells = [
        [
            Cell(at=one.hour),
            Cell(one.source),
            Cell(f"{one.refusals:,}"),
            Cell(one.last_reply),
        ]
        for one in found.rows
    ]
    empty = "No client was refused before it signed in."
    sections = [Section(table=Table(HEADINGS, cells, empty), text=TEXT)]
    page = Page(
        "Refused before sign-in",
        ICON,
        sections,
        above=ABOVE,
        filters=search,
        links=found.links,
    )
    return render_page(request, page)
