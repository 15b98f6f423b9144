"""How often one visitor may answer whether a page is useful."""

from __future__ import annotations

from onboarding import throttle

MOST_FROM_ONE_PEER = 30  # an hour; an organisation's people may share one address


def may_answer(peer: str) -> bool:
    """Counts as one answer. The address is forgotten with the hour."""
    try:
        throttle.count("guide-answers", peer, MOST_FROM_ONE_PEER)
    except throttle.TooOftenError:
        return False
    return True
