from __future__ import annotations

from tests.onboarding.conftest import (
    apply,
    approve,
    fenland,
    send_in,
    sent,
    state_of_its_own,
)

__all__ = ["apply", "approve", "fenland", "send_in", "sent", "state_of_its_own"]
