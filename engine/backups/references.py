"""What a dump refers to outside the database, and what a manifest counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

# In the order of the keys, as stores list them. The same body may have several rows.
REFERENCES = """
    SELECT DISTINCT blob_key, format, body_digest FROM storage_content
    WHERE blob_key > '' ORDER BY blob_key
"""
MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY app, name"
COUNTED = (
    "registry_organisation",
    "registry_person",
    "registry_mailbox",
    "storage_message",
    "storage_content",
    "queue_recipient",
    "audit_entry",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A body outside the database. The digest is that of the body as it was accepted."""

    key: str
    format: int
    digest: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The moment of a dump. `references` can be iterated while the dump is open."""

    taken_at: datetime
    counts: dict[str, int]
    migrations: list[str]
    references: Callable[[], Iterable[Reference]]
