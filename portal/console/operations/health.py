"""The Health page: alarms, the last day, processes, hosts, checks and configuration."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.database import clock
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.mail import sending_stops
from portal.console.operations import day_charts, health_checks, monitoring
from portal.console.page import Page, Section, render_page


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The state of the whole service on one page."""
    charts, hours = day_charts.last_day(clock.now())
    sections = [
        *monitoring.sections(),
        *sending_stops.sections(request, sending_stops.standing()),
        Section("Parts", facts=health_checks.parts()),
        Section(
            "Configuration",
            facts=health_checks.configuration(),
            text="Set by the environment: change it on the host, not here.",
        ),
    ]
    more = {"charts": charts, "hours": hours}
    page = Page("Health", "cogs", sections, template="health", more=more)
    return render_page(request, page)
