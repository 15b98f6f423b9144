from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine import clock
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.operations import day_charts, health_checks, monitoring
from portal.console.sheet import Section, Sheet, draw


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What is wrong, how the last day was, which processes run, whether each part answers,
    and what the environment sets."""
    shown, hours = day_charts.last_day(clock.now())
    sections = [
        *monitoring.sections(),
        Section("Parts", facts=health_checks.parts()),
        Section(
            "Configuration",
            facts=health_checks.configuration(),
            text="Set by the environment; it is changed on the machine, not here.",
        ),
    ]
    more = {"plots": shown, "hours": hours}
    sheet = Sheet("Health", "cogs", sections, template="health", more=more)
    return draw(request, sheet)
