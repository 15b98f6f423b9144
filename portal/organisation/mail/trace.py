"""Message trace: the organisation's messages, and the steps of one."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation.filters import TraceFilter
from portal.organisation.frame import organisation_view, render_section
from portal.organisation.mail import trace_search


@organisation_view(Permission.TRACE_MESSAGES)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The newest messages that match the filter."""
    search = TraceFilter(request)
    found = trace_search.find(organisation, trace_search.parse_query(search.criteria))
    context = {
        "filter": search,
        "lines": [(line, trace_search.status_words(line.recipients)) for line in found],
        "limit": trace_search.LIMIT if len(found) == trace_search.LIMIT else 0,
    }
    return render_section(request, organisation, "trace", "trace", context)


@organisation_view(Permission.TRACE_MESSAGES)
@require_GET
def message(
    request: HttpRequest, organisation: Organisation, reference: str
) -> HttpResponse:
    """What happened to one message."""
    story = trace_search.trace(organisation, reference)
    if story is None:
        raise Http404
    return render_section(
        request, organisation, "trace_message", "trace", {"story": story}
    )
