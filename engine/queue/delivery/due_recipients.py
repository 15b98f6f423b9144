"""Finds what is due, destination by destination, however much waits for any of them.

The statements are written by hand: both databases read an index from one destination to
the next instead of every row of each (https://wiki.postgresql.org/wiki/Loose_indexscan),
and SQLite uses a partial index only where its condition stands in the statement itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from engine.queue.models import Recipient, RecipientStatus
from engine.transport import connection_errors

# Destinations in one statement: SQLite takes 500 terms of a UNION.
MOST_DESTINATIONS = 300

_BREAKDOWNS = tuple(map(str, connection_errors.ALL))
NEWEST = 20  # recipients of a destination that may have been answered there

FREE = "(leased_until IS NULL OR leased_until <= %s)"
DESTINATIONS = f"""
    WITH RECURSIVE waiting(destination) AS (
        SELECT MIN(destination) FROM queue_recipient WHERE status = 'queued'
        UNION ALL
        SELECT (
            SELECT MIN(more.destination) FROM queue_recipient more
            WHERE more.status = 'queued' AND more.destination > waiting.destination
        )
        FROM waiting WHERE waiting.destination IS NOT NULL
    ),
    earliest(destination, due_at) AS (
        SELECT destination, (
            SELECT next_attempt_at FROM queue_recipient
            WHERE status = 'queued' AND destination = waiting.destination
                AND next_attempt_at <= %s AND {FREE}
            ORDER BY next_attempt_at LIMIT 1
        )
        FROM waiting
        WHERE destination IS NOT NULL AND destination NOT IN ({{closed}})
    )
    SELECT destination FROM earliest WHERE due_at IS NOT NULL ORDER BY due_at
"""  # noqa: S608
# What reads the members of a JSON list as rows.
AMONG = {
    "postgresql": "SELECT json_array_elements_text(%s)",
    "sqlite": "SELECT value FROM json_each(%s)",
}
FIRST_OF_ONE = f"""
    SELECT id FROM (
        SELECT id FROM queue_recipient
        WHERE status = 'queued' AND destination = %s
            AND next_attempt_at <= %s AND {FREE}
        ORDER BY next_attempt_at, id LIMIT %s {{lock}}
    ) AS first
"""  # noqa: S608


def destinations(
    now: datetime, closed: Collection[str], *, lapsed: datetime | None = None
) -> list[str]:
    """Where something is due, the longest wait first, but for the closed ones.

    A lease holds until its end has come by `lapsed`, which is now unless said otherwise.
    One statement, with a few index reads for each destination, and no lock.
    """
    statement = DESTINATIONS.format(closed=AMONG[connection.vendor])
    moments = [_moment(now), _moment(lapsed or now)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*moments, json.dumps(list(closed))])
        return [name for (name,) in cursor.fetchall()]


def first(
    now: datetime, shares: Mapping[str, int], *, lapsed: datetime | None = None
) -> list[int]:
    """Ids of so many due recipients of each destination, the oldest first.

    In the caller's transaction, and locked: on PostgreSQL what another runner has locked
    is passed over; on SQLite the caller is the only writer.
    """
    locks = connection.features.has_select_for_update_skip_locked
    part = FIRST_OF_ONE.format(lock="FOR UPDATE SKIP LOCKED" if locks else "")
    asked = list(shares.items())[:MOST_DESTINATIONS]
    if not asked:
        return []
    moments = _moment(now), _moment(lapsed or now)
    values: list[Any] = [
        value for name, count in asked for value in (name, *moments, count)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([part] * len(asked)), values)
        return [pk for (pk,) in cursor.fetchall()]


def rows(now: datetime, *, lapsed: datetime | None = None) -> QuerySet[Recipient]:
    """Everything that is due and leased to nobody."""
    return Recipient.objects.filter(
        Q(leased_until=None) | Q(leased_until__lte=lapsed or now),
        status=RecipientStatus.QUEUED,
        next_attempt_at__lte=now,
    )


def said_at(destinations: Collection[str]) -> defaultdict[str, str]:
    """Why no conversation with each destination took place lately; empty for nothing.

    Not what was said in one: that may name somebody else's recipient. What was tried last
    is tried again last, and so stands at the end of the index.
    """
    found: defaultdict[str, str] = defaultdict(str)
    for name in destinations:
        waiting = Recipient.objects.filter(
            status=RecipientStatus.QUEUED, destination=name
        )
        newest = waiting.order_by("-next_attempt_at", "-pk")[:NEWEST]
        for said in newest.values_list("last_reply", flat=True):
            if not found[name] and said.startswith(_BREAKDOWNS):
                found[name] = said
    return found


def served_since(since: datetime, destinations: Collection[str]) -> set[str]:
    """Those of the destinations that took something, from whichever engine."""
    if not destinations:
        return set()
    taken = Recipient.objects.filter(
        status=RecipientStatus.RELAYED,
        destination__in=destinations,
        finished_at__gte=since,
    )
    return set(taken.values_list("destination", flat=True).distinct())


def _moment(now: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(now)
