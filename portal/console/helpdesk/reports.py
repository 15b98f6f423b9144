"""The helpdesk's reports: charts, a table, and a CSV file."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.helpdesk import statistics
from portal.console.helpdesk.statistics import Bar
from portal.console.helpdesk.ticket_list import ABOVE
from portal.console.page import render_template

HEADINGS = (
    "Week from",
    "Opened",
    "Solved",
    "First answer, working minutes",
    "Solved in, working minutes",
    "Targets met, per cent",
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A titled bar chart."""

    title: str
    bars: list[Bar]


@staff(Permission.VIEW_TICKETS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The charts and the table of the last twelve weeks."""
    weeks = statistics.weeks()
    charts = [
        Chart("Opened", statistics.bars((w.label, w.opened) for w in weeks)),
        Chart("Solved", statistics.bars((w.label, w.solved) for w in weeks)),
        Chart(
            "First answer, working minutes",
            statistics.bars((w.label, w.first_answer_minutes) for w in weeks),
        ),
        Chart(
            "Targets met, per cent",
            statistics.bars(((w.label, w.met_percent) for w in weeks), full=100),
        ),
    ]
    context = {
        "weeks": weeks,
        "charts": charts,
        "categories": statistics.top_categories(weeks[0].monday),
    }
    return render_template(
        request, "helpdesk/reports", "Reports", "table", context, above=ABOVE
    )


@staff(Permission.VIEW_TICKETS)
@require_safe
def as_csv(request: HttpRequest) -> HttpResponse:
    """The weekly figures as a CSV file."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="helpdesk-weeks.csv"'
    rows = csv.writer(response)
    rows.writerow(HEADINGS)
    for week in statistics.weeks():
        rows.writerow(
            [
                week.monday.isoformat(),
                week.opened,
                week.solved,
                week.first_answer_minutes,
                week.solve_minutes,
                week.met_percent,
            ]
        )
    return response
