from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.queue.models import Recipient, RecipientStatus
from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff

STATUSES = (RecipientStatus.QUEUED, RecipientStatus.HELD, RecipientStatus.FAILED)


@staff(Permission.VIEW_QUEUE)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Recipients by where they stand, those to be tried first at the top."""
    asked = request.GET.get("status", "")
    status = asked if asked in STATUSES else RecipientStatus.QUEUED
    rows = (
        Recipient.objects.filter(status=status)
        .select_related("message")
        .order_by("next_attempt_at", "pk")
    )
    context = {**page.paged(request, rows), "status": status, "statuses": STATUSES}
    return page.show(request, "queue", "Mail queue", "list-ul", context)
