"""How often one visitor may answer whether a page is useful."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache

WINDOW = timedelta(hours=1)
MOST_FROM_ONE_PEER = 30  # an organisation's people may share one address


def may_answer(peer: str) -> bool:
    """Counts as one answer. The address is forgotten with the window."""
    key = f"guide-answers-{peer}"
    cache.add(key, 0, WINDOW.total_seconds())
    return cache.incr(key) <= MOST_FROM_ONE_PEER
