from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.console import health
from portal.console.access import staff
from portal.console.sheet import Section, Sheet, draw


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Whether each part answers, and what the environment sets."""
    sections = [
        Section("Parts", facts=health.parts()),
        Section(
            "Configuration",
            facts=health.configuration(),
            text="Set by the environment; it is changed on the machine, not here.",
        ),
    ]
    return draw(request, Sheet("Health", "cogs", sections))
