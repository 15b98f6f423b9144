from __future__ import annotations

from tests.onboarding.conftest import (
    apply,
    approve,
    delivered_emails,
    fenland,
    state_of_its_own,
    submit_application,
)

__all__ = [
    "apply",
    "approve",
    "delivered_emails",
    "fenland",
    "state_of_its_own",
    "submit_application",
]
