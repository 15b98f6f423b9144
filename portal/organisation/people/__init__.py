"""An organisation's people: list, one person, sign-in, sessions and pending approvals."""

from __future__ import annotations
