"""Counts refusals of clients that proved nothing, by source and hour.

Such a client may be anyone and belongs in no organisation's trace, and an event for each
refusal would let it fill the disk. An engine names at most SOURCES sources an hour; those
beyond are counted together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction

from engine.database import clock
from engine.database.id_in import IdIn
from engine.trace.models import StrangerCount

SOURCES = 1000  # named by one engine in one hour
OTHERS = "others"
AT_ONCE = 500  # rows in one statement
SLICE = 5000  # rows deleted in one transaction
REPLY_LENGTH = 520


class Place(NamedTuple):
    """A row: the beginning of the hour, and the source."""

    hour: datetime
    source: str


class Refusals(NamedTuple):
    """How often a source was refused, and the last reply that it got."""

    number: int
    last_reply: str


def hour_of(at: datetime) -> datetime:
    """Returns the beginning of the hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def source_of(address: IPv4Address | IPv6Address) -> str:
    """Returns what a client is counted under: its address, or in IPv6 its /64.

    One customer of a provider has 2^64 addresses in IPv6 (RFC 6177).
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)


class StrangerCounter:
    """Refusals of strangers in this process that wait to be written."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._known: set[str] = set()
        self._waiting: dict[Place, Refusals] = {}

    def count(self, address: IPv4Address | IPv6Address, reply: str) -> None:
        """Counts one refusal."""
        # On the event loop, where the database may not be asked.
        hour = hour_of(datetime.fromtimestamp(clock.estimated_timestamp(), UTC))
        if hour != self._hour:
            self._hour, self._known = hour, set()
        source = source_of(address)
        if source not in self._known:
            if len(self._known) >= SOURCES:
                source = OTHERS
            else:
                self._known.add(source)
        place = Place(hour, source)
        number = self._waiting.get(place, Refusals(0, "")).number
        self._waiting[place] = Refusals(number + 1, reply[:REPLY_LENGTH])

    def take(self) -> dict[Place, Refusals]:
        """Returns what waits, and forgets it."""
        taken, self._waiting = self._waiting, {}
        return taken

    def put_back(self, taken: Mapping[Place, Refusals]) -> None:
        """Keeps what could not be written, for the next time."""
        for place, refusals in taken.items():
            newer = self._waiting.get(place, Refusals(0, refusals.last_reply))
            total = refusals.number + newer.number
            self._waiting[place] = Refusals(total, newer.last_reply)


@transaction.atomic
def add(counts: Mapping[Place, Refusals]) -> None:
    """Adds to the rows, inserting those that are missing."""
    # Sorted, so that engines that write at once lock rows in the same order.
    rows = sorted(counts.items())
    for start in range(0, len(rows), AT_ONCE):
        _add(rows[start : start + AT_ONCE])


def _add(rows: list[tuple[Place, Refusals]]) -> None:
    values = [
        value
        for (hour, source), (number, reply) in rows
        for value in (
            connection.ops.adapt_datetimefield_value(hour),
            source,
            number,
            reply,
        )
    ]
    table = StrangerCount._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (hour, source, refusals, last_reply)"  # noqa: S608
            f" VALUES {', '.join(['(%s, %s, %s, %s)'] * len(rows))}"
            " ON CONFLICT (hour, source) DO UPDATE SET"
            f" refusals = {table}.refusals + EXCLUDED.refusals,"
            " last_reply = EXCLUDED.last_reply",
            values,
        )


def purge() -> int:
    """Deletes a slice of the counts older than POSTERN_TRACE_DAYS; returns how many."""
    before = clock.now() - timedelta(days=settings.POSTERN.trace_days)
    old = StrangerCount.objects.filter(hour__lt=before).order_by("hour")
    ids = list(old.values_list("pk", flat=True)[:SLICE])
    StrangerCount.objects.filter(IdIn("pk", ids)).delete()
    return len(ids)
