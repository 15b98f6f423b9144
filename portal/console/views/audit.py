from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from engine.audit.models import Entry
from engine.audit.record import BrokenChainError, verify_chain
from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff


@staff(Permission.VIEW_AUDIT)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first; by event, subject or person."""
    sought = request.GET.get("q", "").strip()
    rows = Entry.objects.order_by("-pk")
    if sought:
        rows = rows.filter(
            Q(event__icontains=sought)
            | Q(subject_name__icontains=sought)
            | Q(by_name__icontains=sought)
        )
    context = {**page.paged(request, rows), "sought": sought}
    return page.show(request, "audit", "Audit trail", "view", context)


@staff(Permission.VIEW_AUDIT)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Walk the whole chain and say whether anything was changed."""
    try:
        length = verify_chain()
    except BrokenChainError as error:
        messages.error(
            request,
            f"The audit trail was changed: entry {error.entry_id} does not follow "
            "from the one before it.",
        )
    else:
        messages.success(request, f"All {length} entries follow from one another.")
    return redirect("console:audit")
