"""Destroys an organisation's key when it has left, and with it the means to read its mail."""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.database import clock
from engine.encryption import organisation_keys
from engine.encryption.models import OrganisationKey
from engine.registry.errors import PolicyError
from engine.registry.models import Actor, Organisation, OrganisationStatus


def check_can_destroy(organisation: Organisation) -> None:
    """Raises PolicyError for an organisation that has not left."""
    if organisation.status != OrganisationStatus.CLOSED:
        raise PolicyError(
            f"{organisation} is not closed. Close the organisation first: without its "
            "key nobody can read its mail."
        )


@transaction.atomic
def destroy(organisation: Organisation, *, reason: str, by: Actor | None) -> int:
    """Destroys every version of the organisation's key; returns how many there were.

    Nobody can read its copies of messages, its drafts and its exports again. Copies of
    the same messages at other organisations stay readable. Raises PolicyError.
    """
    check_can_destroy(organisation)
    rows = OrganisationKey.objects.filter(
        organisation_id=organisation.pk, destroyed_at=None
    )
    locked = list(rows.select_for_update().order_by("pk"))
    if not locked:
        raise PolicyError(f"{organisation} has no key to destroy.")
    rows.update(wrapped=b"", destroyed_at=clock.now())
    record(
        "encryption.key_destroyed",
        organisation,
        organisation_key=organisation.pk,
        detail={"versions": len(locked), "reason": reason},
        by=by,
    )
    transaction.on_commit(organisation_keys.forget_all)
    return len(locked)
