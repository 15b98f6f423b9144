"""Who did what in the organisation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation import history
from portal.organisation.forms.filters import HistoryFilter
from portal.organisation.paging import paged
from portal.organisation.place import show, within


@within(Permission.VIEW_AUDIT)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    search = HistoryFilter(request)
    rows = history.entries(organisation, search.typed["q"])
    page = paged(request, rows, descending=True)
    context = {
        "filter": search,
        "page": page,
        "lines": [
            (entry, history.words(entry.event), history.details(entry))
            for entry in page.rows
        ],
    }
    return show(request, organisation, "history", "history", context)


@within(Permission.VIEW_AUDIT)
@require_GET
def download(request: HttpRequest, organisation: Organisation) -> StreamingHttpResponse:
    rows = history.entries(organisation, HistoryFilter(request).typed["q"])
    response = StreamingHttpResponse(
        history.as_csv(rows),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = 'attachment; filename="history.csv"'
    return response
