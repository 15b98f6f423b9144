"""What happened to the organisation's own mail."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation.filters import TraceFilter
from portal.organisation.frame import show, within
from portal.organisation.mail import trace_search


@within(Permission.TRACE_MESSAGES)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The newest messages; by sender, recipient, reference and day."""
    search = TraceFilter(request)
    found = trace_search.find(organisation, trace_search.query_of(search.criteria))
    context = {
        "filter": search,
        "lines": [(line, trace_search.status_words(line.recipients)) for line in found],
        "limit": trace_search.LIMIT if len(found) == trace_search.LIMIT else 0,
    }
    return show(request, organisation, "trace", "trace", context)


@within(Permission.TRACE_MESSAGES)
@require_GET
def message(
    request: HttpRequest, organisation: Organisation, reference: str
) -> HttpResponse:
    story = trace_search.story(organisation, reference)
    if story is None:
        raise Http404
    return show(request, organisation, "trace_message", "trace", {"story": story})
