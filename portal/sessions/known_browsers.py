"""The cookie that proves that a person has signed in with this browser before.

It gives no access: it only keeps others' failures from locking this browser out. It is
signed, replaced at each sign-in, and void once the person's sessions are ended, because
it holds their generation.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from engine.registry.models import Person

COOKIE = "known_browser"
# Cookies in people's browsers depend on it: it does not follow the module.
SALT = "portal.sessions.devices"
LIFETIME = timedelta(days=180)
# People who share a browser; the one who signed in least recently is dropped.
MAX_PEOPLE = 5

Devices = dict[str, tuple[str, int]]


def device_of(request: HttpRequest, person: Person) -> str:
    """Returns the id of this browser for the person; empty where it is not known."""
    device, generation = _read(request).get(str(person.pk), ("", -1))
    return device if generation == person.session_generation else ""


def remember(request: HttpRequest, person: Person) -> str:
    """Makes the response set the cookie. Returns the new id of the browser."""
    device = secrets.token_hex(8)
    known = _read(request)
    known.pop(str(person.pk), None)
    known[str(person.pk)] = (device, person.session_generation)
    kept = dict(list(known.items())[-MAX_PEOPLE:])
    request._known_browser = kept  # type: ignore[attr-defined]
    return device


def write(request: HttpRequest, response: HttpResponse) -> None:
    """Sets the cookie on the response to a request that signed a person in."""
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
