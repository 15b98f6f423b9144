"""Message trace: the organisation's messages, and the steps of one."""

from __future__ import annotations

from typing import Any

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
from portal.organisation.mail import trace_search, trace_story
from portal.organisation.mail.trace_query import Place, parse_query
from portal.ui.visitor import signed_in_person


@organisation_view(Permission.TRACE_MESSAGES)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """What the organisation sent, received and was refused, the newest first.

    A reference that finds one message only opens its page.
    """
    search = TraceFilter(request)
    query = parse_query(search.criteria)
    place = Place.parse(request.GET.get("after", ""))
    found = trace_search.find(organisation, query, place)
    references = {line.reference for line in found.lines}
    if query.reference and len(references) == 1:
        return redirect("organisation:trace_message", organisation.pk, *references)
    context = {
        "filter": search,
        "lines": found.lines,
        "links": _links(request, place, found.next),
    }
    return render_section(request, organisation, "trace", "trace", context)


@organisation_view(Permission.TRACE_MESSAGES)
@require_GET
def message(
    request: HttpRequest, organisation: Organisation, reference: str
) -> HttpResponse:
    """What happened to one message."""
    story = trace_story.trace(organisation, reference.upper())
    if story is None:
        raise Http404
    context = {
        "story": story,
        "may_certify": not story.is_refused
        and policies.administers(signed_in_person(request), organisation),
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
    view = trace_story.certifiable(organisation, reference)
    if view is None:
        raise Http404
    try:
        made = making.make(view, by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
        return redirect("organisation:trace_message", organisation.pk, reference)
    return redirect("certificates:show", made.number)


def _links(request: HttpRequest, at: Place, following: Place | None) -> dict[str, Any]:
    """Returns GOV.UK's pagination: back to the newest, and on to the older."""
    links: dict[str, Any] = {}
    query = request.GET.copy()
    query.pop("after", None)
    if at != Place():
        href = f"?{query.urlencode()}"
        links["previous"] = {"href": href, "text": "Newest"}
    if following is not None:
        query["after"] = str(following)
        links["next"] = {"href": f"?{query.urlencode()}", "text": "Older"}
    return links
