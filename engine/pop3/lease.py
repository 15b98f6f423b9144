"""One session a maildrop (RFC 1939 §4), whatever process or host it runs in."""

from __future__ import annotations

import secrets

from django.core.cache import cache

# A host that dies frees its maildrops after so long; one that lives renews in time.
LEASE_SECONDS = 60
RENEW_SECONDS = 20


class Lease:
    """The right to a maildrop, held in the cache that all processes share."""

    def __init__(self, mailbox_id: int) -> None:
        self._key = f"pop3:{mailbox_id}"
        self._token = secrets.token_hex(8)

    def acquire(self) -> bool:
        """Take it, or return False where somebody else has it."""
        return cache.add(self._key, self._token, LEASE_SECONDS)

    def renew(self) -> None:
        cache.set(self._key, self._token, LEASE_SECONDS)

    def release(self) -> None:
        if cache.get(self._key) == self._token:
            cache.delete(self._key)
