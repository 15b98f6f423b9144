"""Message trace: the organisation's messages, and the steps of one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from engine.registry.errors import PolicyError
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.account_admin import policies
from portal.certificates import making
from portal.organisation.filters import TraceFilter
from portal.organisation.frame import (
    administrator_view,
    organisation_view,
    render_section,
)
from portal.organisation.mail import trace_search
from portal.ui.visitor import signed_in_person


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
    context = {
        "story": story,
        "may_certify": policies.administers(signed_in_person(request), organisation),
    }
    return render_section(request, organisation, "trace_message", "trace", context)


@administrator_view
@require_POST
def certificate(
    request: HttpRequest, organisation: Organisation, reference: str
) -> HttpResponse:
    """Makes the delivery certificate of a message, as the organisation sees it.

    For its own administrators: it states what the organisation asked for.
    """
    view = trace_search.certifiable(organisation, reference)
    if view is None:
        raise Http404
    try:
        made = making.make(view, by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
        return redirect("organisation:trace_message", organisation.pk, reference)
    return redirect("certificates:show", made.number)
