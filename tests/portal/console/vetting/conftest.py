from __future__ import annotations

from tests.onboarding.conftest import apply, approve, state_of_its_own

__all__ = ["apply", "approve", "state_of_its_own"]
