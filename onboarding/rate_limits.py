"""Rate-limits mailed links and public forms, by address and by client, per hour."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest

from engine.caches import counting

HOUR = 60 * 60  # seconds
# Per hour: links mailed to one address, links requested and forms sent by one client. An
# organisation's people can share one client address.
LINKS_TO_ADDRESS = 5
LINKS_BY_CLIENT = 30
FORMS_BY_CLIENT = 600


class RateLimitError(Exception):
    """Raised when a limit is reached; it resets within an hour."""


def count_link_to(address: str) -> None:
    """Raises RateLimitError."""
    count("address", address.lower(), LINKS_TO_ADDRESS)


def count_link_by(request: HttpRequest) -> None:
    """Raises RateLimitError."""
    count("links", _client(request), LINKS_BY_CLIENT)


def count_form_by(request: HttpRequest) -> None:
    """Raises RateLimitError."""
    count("forms", _client(request), FORMS_BY_CLIENT)


def _client(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def count(kind: str, name: str, limit: int) -> None:
    """Counts an event of `kind` by or to `name` (kept as a digest), in the cache.

    The hour starts with the first event. Raises RateLimitError beyond `limit`.
    """
    digest = hashlib.sha256(name.encode()).hexdigest()
    key = f"throttle.{kind}.{digest}"
    if counting.count(key, seconds=HOUR).number > limit:
        raise RateLimitError
