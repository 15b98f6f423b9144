"""The cookie by which a browser shows that a person has signed in with it before.

It opens nothing: it only keeps others' failures from shutting this browser out. It is
signed, for one person, rotated at each sign-in, and worthless once the person's sessions
are ended (the generation stands in it).
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from engine.registry.models import Person

COOKIE = "known_browser"
SALT = "portal.sessions.known_browsers"
LIFETIME = timedelta(days=180)
# People who share a browser; the one who signed in longest ago is forgotten.
PEOPLE_AT_MOST = 5

Devices = dict[str, tuple[str, int]]


def device_of(request: HttpRequest, person: Person) -> str:
    """The name of this browser as the person's; empty where it is not known as that."""
    device, generation = _read(request).get(str(person.pk), ("", -1))
    return device if generation == person.session_generation else ""


def remember(request: HttpRequest, person: Person) -> str:
    """Have the answer to the request make the browser known. Returns its new name."""
    device = secrets.token_hex(8)
    known = _read(request)
    known.pop(str(person.pk), None)
    known[str(person.pk)] = (device, person.session_generation)
    kept = dict(list(known.items())[-PEOPLE_AT_MOST:])
    request._known_browser = kept  # type: ignore[attr-defined]
    return device


def write(request: HttpRequest, response: HttpResponse) -> None:
    """Put the cookie on the answer to a request in which somebody signed in."""
    kept = getattr(request, "_known_browser", None)
    if kept is None:
        return
    response.set_cookie(
        COOKIE,
        signing.dumps(kept, salt=SALT),
        max_age=LIFETIME,
        path="/account/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> Devices:
    try:
        found = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFETIME
        )
    except signing.BadSignature:
        return {}
    return {pk: (str(name), int(count)) for pk, (name, count) in found.items()}
