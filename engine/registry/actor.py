"""Who acts, and answers for it in the audit trail."""

from __future__ import annotations

from typing import TypeAlias

from engine.registry.models import ApiKey, Person

Actor: TypeAlias = Person | ApiKey
