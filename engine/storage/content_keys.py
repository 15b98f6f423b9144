"""Wraps the keys of encrypted contents for their holders, and unwraps them to read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from django.db import connection

from engine.database import bulk_rows, statements
from engine.encryption import organisation_keys, wrapping
from engine.encryption.errors import (
    MasterKeyUnavailableError,
    NoKeyError,
    UnreadableError,
)
from engine.encryption.models import COMMUNITY, OrganisationKey
from engine.encryption.organisation_keys import HeldKey
from engine.storage.models import Content, ContentKey
from engine.storage.models.content_key import context

__all__ = ["COMMUNITY", "Held", "Holding", "add", "key_of", "load"]

_COLUMNS = ("content_id", "organisation_id", "key_id", "wrapped")
FIND = f"""
    SELECT one.content_id, one.wrapped, one.key_id, organisation_key.wrapped
    FROM {ContentKey._meta.db_table} AS one
    JOIN {OrganisationKey._meta.db_table} AS organisation_key ON organisation_key.id = one.key_id
    WHERE one.organisation_id = %s AND one.content_id {{among_ids}}
"""  # noqa: S608
# A key, or why it cannot be had.
_Found: TypeAlias = bytes | MasterKeyUnavailableError | UnreadableError
# Values in one statement; SQLite binds 32,766.
_ROWS = 5_000


class Holding(Protocol):
    """Something that holds a content for an organisation: a message, a draft's file, …"""

    @property
    def content(self) -> Content:
        """The content."""

    @property
    def content_holder(self) -> int:
        """The id of the organisation whose key reads it; 0 is the community."""


@dataclass(frozen=True, slots=True)
class Held:
    """A content, and an organisation that holds it."""

    content: Content
    content_holder: int


def add(
    keys: Mapping[tuple[int, int], bytes], held: Mapping[int, HeldKey] | None = None
) -> None:
    """Wraps contents' keys for organisations, in the caller's transaction.

    `keys` maps ids of content and organisation to the content's key; `held` has the keys
    of all these organisations, where the caller knows them. Those that an organisation
    has already stay. Raises MasterKeyUnavailableError.
    """
    if not keys:
        return
    if held is None:
        organisations = {organisation for _, organisation in keys}
        held = {one: organisation_keys.current(one) for one in organisations}
    rows = []
    for (content_id, organisation_id), secret in keys.items():
        key = held[organisation_id]
        wrapped = wrapping.wrap(
            key.secret, secret, context(content_id, organisation_id)
        )
        rows.append((content_id, organisation_id, key.row_id, wrapped))
    for start in range(0, len(rows), _ROWS):
        _insert(rows[start : start + _ROWS])


def _insert(rows: Collection[tuple[int, int, int, bytes]]) -> None:
    table = connection.ops.quote_name(ContentKey._meta.db_table)
    one = f"({', '.join(['%s'] * len(_COLUMNS))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(_COLUMNS)}) "  # noqa: S608
            f"VALUES {', '.join([one] * len(rows))} ON CONFLICT DO NOTHING",
            [value for row in rows for value in row],
        )


def key_of(holding: Holding) -> bytes:
    """Returns the key of a content, for its holder; empty where it is not encrypted.

    Raises NoKeyError where the organisation has no key to it, MasterKeyUnavailableError,
    and TamperedError.
    """
    content = holding.content
    if not content.is_encrypted:
        return b""
    holder = holding.content_holder
    if holder not in _memo(content):
        load([holding])
    found = _memo(content)[holder]
    if isinstance(found, Exception):
        raise found
    return found


def load(holdings: Iterable[Holding]) -> None:
    """Unwraps the keys of many contents with one query for each organisation.

    Where one cannot be had, `key_of` raises the reason.
    """
    by_holder: dict[int, dict[int, list[Content]]] = {}
    for holding in holdings:
        content = holding.content
        if content.is_encrypted:
            contents = by_holder.setdefault(holding.content_holder, {})
            contents.setdefault(content.pk, []).append(content)
    for holder, contents in by_holder.items():
        sql = FIND.format(among_ids=bulk_rows.AMONG[connection.vendor])
        rows = statements.fetch(sql, [holder, bulk_rows.members(contents)])
        found = {content_id: rest for content_id, *rest in rows}
        # Nearly always one key, which a transaction that made it does not hold in memory.
        by = lru_cache(organisation_keys.unwrap_by_id)
        for content_id, same in contents.items():
            secret = _unwrapped(found.get(content_id), content_id, holder, by)
            for content in same:
                _memo(content)[holder] = secret


def _unwrapped(
    row: Sequence[Any] | None,
    content_id: int,
    holder: int,
    organisation_key: Callable[[int, bytes], bytes],
) -> _Found:
    if row is None:
        return NoKeyError(f"Organisation {holder} has no key to content {content_id}.")
    wrapped, key_id, wrapped_key = row
    try:
        key = organisation_key(key_id, bytes(wrapped_key))
        return wrapping.unwrap(key, bytes(wrapped), context(content_id, holder))
    except (MasterKeyUnavailableError, UnreadableError) as error:
        return error


def remember(content: Content, secret: bytes, *, holder: int) -> None:
    """Keeps the key of a content beside the instance, for a holder that is known."""
    _memo(content)[holder] = secret


def _memo(content: Content) -> dict[int, _Found]:
    memo: dict[int, _Found] = content.__dict__.setdefault("_secrets", {})
    return memo
