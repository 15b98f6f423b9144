"""What the header of every response must contain, for any visitor and any page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.http import HttpResponse

# Identical for every visitor, and therefore cacheable: pictures of guides, and where to
# report a vulnerability.
KEPT = {"guides/pictures/images/<str:name>", ".well-known/security.txt"}
# Arguments that grant access to anyone who has the URL.
SECRET = re.compile(r"<(?:\w+:)?(?:token|key|uidb36|uidb64)>")
ADMIN = "admin/"


def faults(
    response: HttpResponse, route: str, *, is_stranger: bool, is_public: bool
) -> list[str]:
    """Returns a line for each fault of a response header.

    `route` is spelt as in urls.py.
    """
    said = [
        *_fixed(response),
        *_policy(response, route),
        *_cookies(response),
        *_kept(response, route, may_keep=is_stranger and is_public),
    ]
    return [f"{route} ({response.status_code}): {each}" for each in said]


def _fixed(response: HttpResponse) -> Iterator[str]:
    allowed = {
        "X-Content-Type-Options": {"nosniff"},
        "X-Frame-Options": {"DENY", "SAMEORIGIN"},
        "Referrer-Policy": {"same-origin", "no-referrer"},
        "Cross-Origin-Opener-Policy": {"same-origin"},
    }
    for name, values in allowed.items():
        if response.headers.get(name) not in values:
            yield f"{name} is {response.headers.get(name)}"


def _policy(response: HttpResponse, route: str) -> Iterator[str]:
    text = response.headers.get("Content-Security-Policy", "")
    parts = [part.split() for part in text.split(";") if part.strip()]
    directives = {name: values for name, *values in parts}
    if not directives.get("default-src"):
        yield f"no content security policy: {text}"
    if "sandbox" not in directives and not directives.get("frame-ancestors"):
        yield "anybody may put it into a frame"
    scripts = directives.get("script-src", directives.get("default-src", []))
    if "'unsafe-eval'" in scripts or "*" in text:
        yield f"scripts of others may run: {text}"
    if "'unsafe-inline'" in scripts and not route.startswith(ADMIN):
        yield f"scripts in the page may run: {text}"


def _cookies(response: HttpResponse) -> Iterator[str]:
    for name, cookie in response.cookies.items():
        if cookie.value and cookie["samesite"] not in ("Lax", "Strict"):
            yield f"the cookie {name} goes with requests of other sites"
        if cookie.value and name == "sessionid" and not cookie["httponly"]:
            yield "scripts may read the session"


def _kept(response: HttpResponse, route: str, *, may_keep: bool) -> Iterator[str]:
    said = response.headers.get("Cache-Control", "")
    if route in KEPT and said.startswith("public"):
        return
    if "Cookie" not in response.headers.get("Vary", ""):
        yield "it does not vary by cookie"
    if "no-store" in said:
        return
    if not may_keep or SECRET.search(route) or said != "no-cache":
        yield f"it may be kept: {said or 'nothing is said'}"
