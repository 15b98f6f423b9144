"""The one way to write an audit entry, and the check that none was changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from django.db import models, transaction
from django.utils import timezone

from engine.audit.models import Entry

GENESIS = "0" * 64


class Actor(Protocol):
    """Whoever acts: a person, as seen from here."""

    pk: Any

    def __str__(self) -> str: ...


class BrokenChainError(Exception):
    """An entry does not follow from the one before it. Carries its id."""

    def __init__(self, entry_id: int) -> None:
        super().__init__(f"Entry {entry_id} does not follow from the one before it.")
        self.entry_id = entry_id


def record(
    event: str,
    subject: models.Model,
    *,
    organisation_key: object = "",
    detail: dict[str, Any] | None = None,
    by: Actor | None,
) -> Entry:
    """Append an entry to the chain. `by=None` means the system itself.

    `detail` must be JSON without secrets and without message content.
    """
    entry = Entry(
        at=timezone.now(),
        event=event,
        subject_kind=subject._meta.label_lower,
        subject_key=str(subject.pk),
        subject_name=str(subject)[:320],
        organisation_key=str(organisation_key or ""),
        by_key=str(by.pk) if by else "",
        by_name=str(by)[:320] if by else "Postern",
        detail=detail or {},
    )
    return _append(entry)


@transaction.atomic
def _append(entry: Entry) -> Entry:
    # Locking the last row makes two writers take turns on PostgreSQL; SQLite has one.
    last = Entry.objects.select_for_update().order_by("-id").first()
    entry.previous_digest = last.digest if last else GENESIS
    entry.digest = digest_of(entry)
    entry.save(force_insert=True)
    return entry


def digest_of(entry: Entry) -> str:
    """SHA-256 over everything the entry says and the digest before it."""
    facts = [
        entry.previous_digest,
        entry.at.isoformat(),
        entry.event,
        entry.subject_kind,
        entry.subject_key,
        entry.subject_name,
        entry.organisation_key,
        entry.by_key,
        entry.by_name,
        entry.detail,
    ]
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify_chain() -> int:
    """Walk the whole chain and return its length.

    Raises BrokenChainError at the first entry that was changed, or that follows a gap.
    """
    previous, count = GENESIS, 0
    for entry in Entry.objects.order_by("id").iterator():
        if entry.previous_digest != previous or entry.digest != digest_of(entry):
            raise BrokenChainError(entry.pk)
        previous, count = entry.digest, count + 1
    return count
