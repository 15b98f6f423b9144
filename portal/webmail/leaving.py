"""Telling somebody that their message leaves in a moment, on whichever page they are."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from engine import clock
from engine.registry.models import Person
from portal.webmail.models import Departure

# When the last message leaves, as seconds since 1970: until then pages look for it.
KEY = "leaves_at"
# Whether no page has said yet that it is sent: a slow one may come when it has left.
UNTOLD = "leaving_untold"


def tell(request: HttpRequest, departure: Departure) -> None:
    """Say that the message is sent, with the way to take it back while there is one."""
    if departure.seconds_left:
        request.session[KEY] = departure.leaves_at.timestamp()
        request.session[UNTOLD] = True
    else:
        messages.success(request, "Message sent.")


def waiting(request: HttpRequest) -> list[Departure]:
    """What the person may still take back. Asks only where something was sent just now."""
    until = request.session.get(KEY, 0)
    if until <= clock.held() or not isinstance(request.user, Person):
        return []
    rows = Departure.objects.waiting().filter(person=request.user)
    departures = list(rows.select_related("message")[:5])
    if departures:
        request.session.pop(UNTOLD, None)
    return departures


def left_untold(request: HttpRequest) -> bool:
    """Whether something has left before any page said that it was sent. True once."""
    has_left = request.session.get(KEY, 0) <= clock.held()
    return bool(has_left and request.session.pop(UNTOLD, False))
