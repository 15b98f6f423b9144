from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from engine.registry.permissions import Permission
from portal.console import dashboard
from portal.console.access import held_as_staff, staff
from portal.console.operations import monitoring


@staff(Permission.USE_CONSOLE)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits, as counts that lead to the lists behind them."""
    context = {
        "header_title": settings.POSTERN.community_name,
        "raised": monitoring.raised(request.user),
        "may_see_health": Permission.VIEW_QUEUE in held_as_staff(request.user),
        "tiles": dashboard.tiles_for(request.user),
        "scans_by_fallback": not settings.POSTERN.clamd,
        "scans_nothing": settings.POSTERN.clamd == "off",
    }
    return render(request, "console/home.html", context)
