"""How often somebody may ask: counted in the cache, for a while."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest

from engine import caches

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
    """Count one more of the kind, within an hour of the first. Raises TooOftenError."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    key = f"throttle.{kind}.{digest}"
    if caches.count(key, seconds=HOUR).number > limit:
        raise TooOftenError
