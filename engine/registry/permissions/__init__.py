"""Authorisation: permissions and the roles that grant them, view guards, and the two-person rule.

Everything that no role grants is denied. Callers import this package and ask
`permissions.can(...)`, or `permissions.check(...)` to have a refusal raised.
"""

from __future__ import annotations

from engine.registry.permissions.checks import (
    REFUSAL,
    Visitor,
    can,
    check,
    held_by,
    is_privileged,
    is_staff,
    may_sign_in,
)
from engine.registry.permissions.roles import Permission
from engine.registry.permissions.second_factor import (
    needs_second_factor,
    second_factor_due,
)

__all__ = [
    "REFUSAL",
    "Permission",
    "Visitor",
    "can",
    "check",
    "held_by",
    "is_privileged",
    "is_staff",
    "may_sign_in",
    "needs_second_factor",
    "second_factor_due",
]
