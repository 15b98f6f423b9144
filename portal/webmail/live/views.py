"""The event stream of a browser, what it polls where it has none, and a sidebar's counts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engine.registry import permissions
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.live import arrivals, standing
from portal.webmail.live.hub import hub, places, short
from portal.webmail.live.looks import Ticket
from portal.webmail.sidebar import sidebar

# Seconds after which a browser that got no stream may ask for one again.
RETRY_AFTER = 60
EVENT_STREAM = "text/event-stream"


@requires_mail
@require_safe
def events(request: HttpRequest) -> HttpResponseBase:
    """Streams the change numbers of the person's mailboxes, as server-sent events."""
    accessible = accessible_mailboxes(request)
    person = accessible.person
    if not isinstance(request, ASGIRequest):
        # Under WSGI, as in tests, a stream would hold a thread for as long as it lasts: a
        # short one, which the browser asks for again, does what a long one does.
        said = short(_numbers(accessible.readable))
        return HttpResponse(said, content_type=EVENT_STREAM)
    if not places.take(person.pk):
        refusal = HttpResponse("Too many open streams.", status=503)
        refusal["Retry-After"] = str(RETRY_AFTER)
        return refusal
    try:
        ticket = _ticket(request, person)
    except BaseException:
        places.release(person.pk)
        raise
    response = StreamingHttpResponse(hub.stream(ticket), content_type=EVENT_STREAM)
    # However the stream ends, also before it has begun.
    release = partial(places.release, person.pk)
    cast(Any, response)._resource_closers.append(release)
    # For proxies in front of us that would keep events until they have enough of them.
    response["X-Accel-Buffering"] = "no"
    return response


def _ticket(request: HttpRequest, person: Person) -> Ticket:
    """Returns what the stream depends on. Raises PermissionDenied."""
    standings = standing.of_people([person.pk])
    # The guards have looked at the person as the request began. Once more, after the
    # standing was read: what changes from here on differs from it at the first look.
    now = Person.objects.select_related("organisation").get(pk=person.pk)
    permissions.check(now, Permission.USE_MAIL)
    if now.session_generation != person.session_generation:
        raise PermissionDenied(permissions.REFUSAL)
    return Ticket(
        person.pk,
        request.session.session_key or "",
        standings.get(person.pk),
        frozenset(one.mailbox.pk for one in AccessibleMailboxes(now).readable),
    )


@requires_mail
@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """Returns the change numbers of the person's mailboxes, for browsers without a stream."""
    return JsonResponse(_numbers(accessible_mailboxes(request).readable))


def _numbers(readable: Iterable[MailboxAccess]) -> dict[int, int]:
    return {one.mailbox.pk: one.mailbox.change_number for one in readable}


@requires_mail
@require_safe
def mailbox(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Renders the folders of a mailbox and what is new, for pages that show no list."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    panel = sidebar(mailboxes, access)
    context = {"sidebar": panel, "arrived": arrivals.since(request, panel)}
    return render(request, "webmail/live/mailbox.html", context)
