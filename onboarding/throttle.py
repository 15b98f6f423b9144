"""How often somebody may ask: counted in the cache, for a while."""

from __future__ import annotations

import hashlib
import time

from django.core.cache import cache
from django.http import HttpRequest

HOUR = 60 * 60  # seconds
# Links mailed to one address, and mails and forms that one client may cause, an hour.
LINKS_TO_ADDRESS = 5
LINKS_BY_CLIENT = 30
FORMS_BY_CLIENT = 600


class TooOftenError(Exception):
    """Whoever asks must wait."""


def count_links_to(address: str) -> None:
    """Raises TooOftenError."""
    count("address", address.lower(), LINKS_TO_ADDRESS)


def count_links_by(request: HttpRequest) -> None:
    """Raises TooOftenError."""
    count("links", _client(request), LINKS_BY_CLIENT)


def count_forms_by(request: HttpRequest) -> None:
    """Raises TooOftenError."""
    count("forms", _client(request), FORMS_BY_CLIENT)


def _client(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def count(kind: str, name: str, limit: int) -> None:
    """Count one more of the kind, within an hour of the first. Raises TooOftenError.

    The time is kept beside the count: not every cache counts without moving the end.
    """
    digest = hashlib.sha256(name.encode()).hexdigest()
    key = f"throttle.{kind}.{digest}"
    until, count = cache.get(key) or (time.time() + HOUR, 0)
    if count >= limit:
        raise TooOftenError
    cache.set(key, (until, count + 1), max(1, until - time.time()))
