"""What happened to the organisation's own mail."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.organisation import tracing
from portal.organisation.forms.filters import TraceFilter
from portal.organisation.place import show, within


@within(Permission.TRACE_MESSAGES)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The newest messages; by sender, recipient, reference and day."""
    search = TraceFilter(request)
    found = tracing.find(organisation, tracing.query_of(search.typed))
    context = {
        "filter": search,
        "lines": [(line, tracing.status_words(line.recipients)) for line in found],
        "limit": tracing.LIMIT if len(found) == tracing.LIMIT else 0,
    }
    return show(request, organisation, "trace", "trace", context)


@within(Permission.TRACE_MESSAGES)
@require_GET
def message(
    request: HttpRequest, organisation: Organisation, reference: str
) -> HttpResponse:
    story = tracing.story(organisation, reference)
    if story is None:
        raise Http404
    return show(request, organisation, "trace_message", "trace", {"story": story})
