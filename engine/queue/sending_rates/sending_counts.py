"""Counts of what senders sent, which all processes add up in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from engine.database import clock
from engine.queue.models import SendingCount

# Rows in one statement: 6 values each, and SQLite takes 32,766.
AT_ONCE = 500
SLICE = 5_000  # rows deleted in one transaction
# Seconds from the beginning of a span for which its counts are kept, for the console.
KEPT = 2 * 86_400


class Key(NamedTuple):
    """Identifies a count: a sender, and a span by its length and its start."""

    sender: str
    span: str
    starts: int


class Count(NamedTuple):
    """Messages, their recipients, and how often the sender was asked to wait."""

    messages: int = 0
    recipients: int = 0
    deferred: int = 0

    def plus(self, other: Count) -> Count:
        """Returns the sum."""
        return Count(
            self.messages + other.messages,
            self.recipients + other.recipients,
            self.deferred + other.deferred,
        )

    def minus(self, other: Count) -> Count:
        """Returns the difference."""
        return Count(
            self.messages - other.messages,
            self.recipients - other.recipients,
            self.deferred - other.deferred,
        )

    @property
    def is_nothing(self) -> bool:
        """Whether every number is zero."""
        return not any(self)


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a row after an addition, and whether its alert was sent."""

    key: Key
    count: Count
    is_alarmed: bool


def read(keys: Collection[Key]) -> dict[Key, Count]:
    """Reads the counts that all processes have shared. One query."""
    rows = SendingCount.objects.filter(
        sender__in={key.sender for key in keys}, starts__in={key.starts for key in keys}
    ).values_list("sender", "span", "starts", "messages", "recipients", "deferred")
    return {
        Key(sender, span, starts): Count(*counts)
        for sender, span, starts, *counts in rows
    }


def add(counts: Mapping[Key, Count]) -> list[Totals]:
    """Adds to the rows, inserting those that are missing. One statement for 500 rows."""
    # Sorted, so that concurrent writers lock rows in the same order and cannot deadlock.
    rows = sorted(counts.items())
    starts = range(0, len(rows), AT_ONCE)
    return [row for start in starts for row in _add(rows[start : start + AT_ONCE])]


def _add(counts: Iterable[tuple[Key, Count]]) -> list[Totals]:
    values = [value for key, count in counts for value in (*key, *count)]
    places = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * (len(values) // 6))
    table = SendingCount._meta.db_table
    # EXCLUDED is the row that could not be inserted, on SQLite and PostgreSQL alike.
    statement = f"""
        INSERT INTO {table} (sender, span, starts, messages, recipients, deferred)
        VALUES {places}
        ON CONFLICT (sender, span, starts) DO UPDATE SET
            messages = {table}.messages + EXCLUDED.messages,
            recipients = {table}.recipients + EXCLUDED.recipients,
            deferred = {table}.deferred + EXCLUDED.deferred
        RETURNING sender, span, starts, messages, recipients, deferred, alarmed_at
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [
            Totals(Key(*row[:3]), Count(*row[3:6]), row[6] is not None)
            for row in cursor.fetchall()
        ]


def claim_alert(key: Key) -> bool:
    """Claims the alert of a span; True for the one process that must send it."""
    # A conditional UPDATE: only one of several processes changes the row.
    row = SendingCount.objects.filter(**key._asdict(), alarmed_at=None)
    return bool(row.update(alarmed_at=clock.now()))


def purge(now: datetime) -> int:
    """Deletes a slice of the spans that began long ago; returns how many."""
    old = SendingCount.objects.filter(starts__lt=int(now.timestamp()) - KEPT)
    ids = list(old.values_list("pk", flat=True)[:SLICE])
    SendingCount.objects.filter(pk__in=ids).delete()
    return len(ids)
