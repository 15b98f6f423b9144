"""The registry's version: whoever keeps routes in memory sees by it that they aged."""

from __future__ import annotations

import secrets

from django.db import transaction

from engine.audit.record import lock_chain
from engine.registry.models import Stamp


def current() -> str:
    """The version that is committed now."""
    return Stamp.objects.values_list("version", flat=True).first() or ""


# Every row that is saved comes by here: a savepoint would cost as much as all the rest.
@transaction.atomic(savepoint=False)
def bump() -> None:
    """Give the registry another version, seen by others when the transaction commits.

    The audit's turn is taken first: everybody locks the two rows in one order.
    """
    lock_chain()
    version = secrets.token_hex(8)
    if not Stamp.objects.filter(pk=1).update(version=version):
        Stamp.objects.create(pk=1, version=version)
