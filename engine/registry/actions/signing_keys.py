"""Actions on the community's signing keys."""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.registry.models import Actor
from engine.signing import keys
from engine.signing.models import Purpose, SigningKey


@transaction.atomic
def replace(
    purpose: Purpose, *, is_compromised: bool = False, by: Actor | None
) -> SigningKey:
    """Retires the key that signs for a purpose, makes another, and records it.

    What the retired key signed stays verifiable, unless `is_compromised` says that others
    may have it.
    """
    made = keys.replace(purpose, is_compromised=is_compromised)
    detail = {"purpose": str(purpose), "is_compromised": is_compromised}
    record("signing_key.replaced", made, detail=detail, by=by)
    return made
