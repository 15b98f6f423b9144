from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.registry.permissions import Permission
from engine.trace.models import Event, EventKind
from portal.account.typed import address_key
from portal.console import page
from portal.console.access import staff


@staff(Permission.TRACE_MESSAGES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What happened, newest first; by reference or recipient, and by kind."""
    sought = request.GET.get("q", "").strip()
    kind = request.GET.get("kind", "")
    rows = Event.objects.order_by("-pk")
    if sought:
        rows = rows.filter(Q(reference=sought) | Q(recipient=address_key(sought)))
    if kind in EventKind:
        rows = rows.filter(kind=kind)
    context = {
        **page.paged(request, rows),
        "sought": sought,
        "kind": kind,
        "kinds": EventKind.choices,
    }
    return page.show(request, "trace", "Message trace", "history", context)
