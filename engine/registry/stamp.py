"""The registry's version: whoever keeps routes in memory sees by it that they aged."""

from __future__ import annotations

import secrets

from django.db import transaction

from engine.audit.record import take_turn
from engine.registry.models import Stamp


def current() -> str:
    """The version that is committed now."""
    return Stamp.objects.values_list("version", flat=True).first() or ""


@transaction.atomic
def bump() -> None:
    """Give the registry another version, seen by others when the transaction commits.

    The audit's turn is taken first: everybody locks the two rows in one order.
    """
    take_turn()
    Stamp.objects.update_or_create(pk=1, defaults={"version": secrets.token_hex(8)})
