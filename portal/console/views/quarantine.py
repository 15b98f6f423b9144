from __future__ import annotations

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.antivirus.models import QuarantinedMessage
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff


@staff(Permission.VIEW_QUARANTINE)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What was refused as infected: about each message, never what is in it."""
    name = Organisation.objects.filter(pk=OuterRef("organisation_id")).values("name")
    rows = QuarantinedMessage.objects.order_by("-pk").annotate(
        organisation_name=Subquery(name[:1])
    )
    context = page.paged(request, rows)
    return page.show(request, "quarantine", "Quarantine", "warning", context)
