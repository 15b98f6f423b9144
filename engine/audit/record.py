"""Writes audit entries to the hash chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from django.db import connection, models, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from engine.audit.models import ChainEnd, Entry
from engine.database.statements import fetch

GENESIS = "0" * 64
COLUMNS = ("id", "length", "digest")
READ = f"SELECT {', '.join(COLUMNS)} FROM audit_chainend ORDER BY id LIMIT 1"  # noqa: S608
LOCK = f"{READ} FOR UPDATE"


class Actor(Protocol):
    """A person, or another system with an API key, as the audit trail sees them."""

    @property
    def audit_key(self) -> str:
        """What identifies the actor among people and keys."""

    def __str__(self) -> str:
        """The name under which the entry shows the actor."""


class BrokenChainError(Exception):
    """The chain is broken at an entry; `entry_id` is 0 if no entry is left."""

    def __init__(self, entry_id: int) -> None:
        super().__init__(f"The chain is broken at entry {entry_id}.")
        self.entry_id = entry_id


def record(
    event: str,
    subject: models.Model,
    *,
    organisation_key: object = "",
    detail: Mapping[str, object] | None = None,
    by: Actor | None,
) -> Entry:
    """Appends an entry to the chain, and returns it.

    `event` is a code such as `person.suspended`. `organisation_key` is the id of the
    organisation whose administrators see the entry. `detail` must be JSON, without
    secrets and without message content. `by=None` means the system itself.
    """
    entry = compose(
        event, subject, organisation_key=organisation_key, detail=detail, by=by
    )
    append([entry])
    return entry


def record_each(
    event: str,
    subjects: Iterable[models.Model],
    *,
    organisation_key: object = "",
    by: Actor | None,
) -> None:
    """Appends an entry for each subject, as `record` does, in two statements for all."""
    append(
        [
            compose(event, one, organisation_key=organisation_key, by=by)
            for one in subjects
        ]
    )


def compose(
    event: str,
    subject: models.Model,
    *,
    organisation_key: object = "",
    detail: Mapping[str, object] | None = None,
    by: Actor | None,
) -> Entry:
    """Returns an entry as `record` does, for `append` to append with others."""
    return Entry(
        at=timezone.now(),
        event=event,
        subject_kind=subject._meta.label_lower,
        subject_key=str(subject.pk),
        subject_name=str(subject)[:320],
        organisation_key=str(organisation_key or ""),
        by_key=by.audit_key if by else "",
        by_name=str(by)[:320] if by else "Postern",
        detail=dict(detail or {}),
    )


def lock_chain() -> ChainEnd:
    """Locks the end of the chain until the transaction ends, and returns it.

    Serialises everything that writes an entry; call it inside a transaction. Locking the
    newest entry instead would not do: on PostgreSQL a writer that waited for that row
    would go on with it, though another entry follows it by now.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("Outside a transaction nothing stays locked.")
    # Every row of the registry that is saved comes by here.
    found = fetch(LOCK if connection.features.has_select_for_update else READ)
    if not found:
        return ChainEnd.objects.get_or_create(pk=1)[0]
    return ChainEnd.from_db(connection.alias, COLUMNS, found[0])


@transaction.atomic
def append(entries: Sequence[Entry]) -> None:
    """Appends composed entries to the chain, in two statements for all."""
    if not entries:
        return
    end = lock_chain()
    for entry in entries:
        entry.previous_digest = end.digest
        entry.digest = digest_of(entry)
        end.length, end.digest = end.length + 1, entry.digest
    Entry.objects.bulk_create(entries)
    end.save()


def digest_of(entry: Entry) -> str:
    """Returns the SHA-256, in hex, of the entry's contents and the digest before it."""
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
    # Sorted keys: databases do not keep the order of a JSON object.
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
