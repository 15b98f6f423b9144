"""Counts of what senders sent, added up in the database by all processes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from engine import clock
from engine.queue.models import SendingCount

# Rows in one statement: 6 values each, and SQLite takes 32,766.
AT_ONCE = 500
SLICE = 5_000  # rows forgotten in one transaction
# How long the counts of a span are kept after its beginning, for the console: two days.
KEPT = 2 * 86_400


class Key(NamedTuple):
    """What a count stands under. In order, so that writers lock rows in one order."""

    sender: str
    span: str
    starts: int


class Count(NamedTuple):
    """Messages, their recipients, and how often the sender was asked to wait."""

    messages: int = 0
    recipients: int = 0
    deferred: int = 0

    def plus(self, other: Count) -> Count:
        return Count(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: Count) -> Count:
        return Count(*(a - b for a, b in zip(self, other, strict=True)))

    @property
    def is_nothing(self) -> bool:
        return not any(self)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a row says after it was added to, and whether its alarm was raised."""

    key: Key
    count: Count
    is_alarmed: bool


def read(keys: Collection[Key]) -> dict[Key, Count]:
    """The counts that others wrote. One query."""
    rows = SendingCount.objects.filter(
        sender__in={key.sender for key in keys}, starts__in={key.starts for key in keys}
    ).values_list("sender", "span", "starts", "messages", "recipients", "deferred")
    return {
        Key(sender, span, starts): Count(*counts)
        for sender, span, starts, *counts in rows
    }


def add(counts: Mapping[Key, Count]) -> list[Totals]:
    """Add to the rows, making those that are missing. One statement for 500 rows."""
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


def claim_alarm(key: Key) -> bool:
    """Whether this process is the one to raise the alarm of that span."""
    row = SendingCount.objects.filter(**key._asdict(), alarmed_at=None)
    return bool(row.update(alarmed_at=clock.now()))


def let_go(now: datetime) -> int:
    """Forget some of the spans that began long ago; return how many."""
    old = SendingCount.objects.filter(starts__lt=int(now.timestamp()) - KEPT)
    ids = list(old.values_list("pk", flat=True)[:SLICE])
    SendingCount.objects.filter(pk__in=ids).delete()
    return len(ids)
