"""The entry in CACHES for Redis or Valkey.

Settings import this and not the client of Redis, which takes a twentieth of the start of
every process, and which a host without Redis never needs.
"""

from __future__ import annotations

from typing import Any

# How long Redis may take to connect or to answer.
TIMEOUT_SECONDS = 1.0


def redis_settings(url: str) -> dict[str, Any]:
    """Returns the entry for a Redis or Valkey at the URL."""
    return {
        "BACKEND": "engine.caches.redis_cache.SharedCache",
        "LOCATION": url,
        "OPTIONS": {
            "socket_connect_timeout": TIMEOUT_SECONDS,
            "socket_timeout": TIMEOUT_SECONDS,
        },
    }
