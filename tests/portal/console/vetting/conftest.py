from __future__ import annotations

from tests.onboarding.conftest import (
    apply,
    approve,
    fenland,
    sent,
    state_of_its_own,
    submit_application,
)

__all__ = [
    "apply",
    "approve",
    "fenland",
    "sent",
    "state_of_its_own",
    "submit_application",
]
