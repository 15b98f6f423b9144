"""The organisation's audit trail: filtered, and downloaded as CSV."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from engine.audit.record import record
from engine.registry.models import Organisation, Person
from engine.registry.permissions import Permission
from portal.organisation.filters import HistoryFilter
from portal.organisation.frame import organisation_view, render_section
from portal.ui import audit_entries
from portal.ui.pagination import paginate


@organisation_view(Permission.VIEW_AUDIT)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's audit entries, the newest first."""
    search = HistoryFilter(request)
    rows = audit_entries.of_organisation(organisation, search.criteria["q"])
    page = paginate(request, rows, descending=True)
    context = {
        "filter": search,
        "page": page,
        "lines": [
            (
                entry,
                audit_entries.event_label(entry.event),
                audit_entries.details(entry),
            )
            for entry in page.rows
        ],
    }
    return render_section(request, organisation, "history", "history", context)


@organisation_view(Permission.VIEW_AUDIT)
@require_GET
def download(request: HttpRequest, organisation: Organisation) -> StreamingHttpResponse:
    """The filtered entries as a CSV file. That it was downloaded is an entry too."""
    text = HistoryFilter(request).criteria["q"]
    entry = record(
        "audit.exported",
        organisation,
        organisation_key=organisation.pk,
        detail={"search": text},
        by=cast(Person, request.user),
    )
    rows = audit_entries.of_organisation(organisation, text)
    response = StreamingHttpResponse(
        audit_entries.as_csv(rows.filter(pk__lt=entry.pk)),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = 'attachment; filename="history.csv"'
    return response
