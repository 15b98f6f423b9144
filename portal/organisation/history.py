"""Who did what in the organisation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation.filters import HistoryFilter
from portal.organisation.frame import show, within
from portal.ui import audit_entries
from portal.ui.pagination import paged


@within(Permission.VIEW_AUDIT)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    search = HistoryFilter(request)
    rows = audit_entries.entries(organisation, search.criteria["q"])
    page = paged(request, rows, descending=True)
    context = {
        "filter": search,
        "page": page,
        "lines": [
            (entry, audit_entries.words(entry.event), audit_entries.details(entry))
            for entry in page.rows
        ],
    }
    return show(request, organisation, "history", "history", context)


@within(Permission.VIEW_AUDIT)
@require_GET
def download(request: HttpRequest, organisation: Organisation) -> StreamingHttpResponse:
    rows = audit_entries.entries(organisation, HistoryFilter(request).criteria["q"])
    response = StreamingHttpResponse(
        audit_entries.as_csv(rows),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = 'attachment; filename="history.csv"'
    return response
