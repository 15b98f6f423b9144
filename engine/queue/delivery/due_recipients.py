"""Queries for due recipients, by destination, whatever the length of the queue.

The statements are written by hand: both databases jump through the index from one
destination to the next instead of reading every row of each
(https://wiki.postgresql.org/wiki/Loose_indexscan), and SQLite uses a partial index only
where its condition is in the statement itself.
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

_OUTAGES = tuple(map(str, connection_errors.ALL))
NEWEST = 20  # recipients of a destination whose last reply is looked at

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
# Reads the members of a JSON list as rows: one parameter, however long the list.
AMONG = {
    "postgresql": "SELECT json_array_elements_text(%s)",
    "sqlite": "SELECT value FROM json_each(%s)",
}
OLDEST_OF_ONE = f"""
    SELECT id FROM (
        SELECT id FROM queue_recipient
        WHERE status = 'queued' AND destination = %s
            AND next_attempt_at <= %s AND {FREE}
        ORDER BY next_attempt_at, id LIMIT %s {{lock}}
    ) AS first
"""  # noqa: S608


def destinations(
    now: datetime, closed: Collection[str], *, lease_cutoff: datetime | None = None
) -> list[str]:
    """Returns the destinations with something due, the longest wait first.

    `closed` ones are left out. A lease is free once its end is before `lease_cutoff`,
    which is `now` by default. One statement, with a few index reads for each
    destination, and no lock.
    """
    statement = DESTINATIONS.format(closed=AMONG[connection.vendor])
    moments = [_moment(now), _moment(lease_cutoff or now)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*moments, json.dumps(list(closed))])
        return [name for (name,) in cursor.fetchall()]


def lock_oldest(
    now: datetime, shares: Mapping[str, int], *, lease_cutoff: datetime | None = None
) -> list[int]:
    """Locks the oldest due recipients of each destination and returns their ids.

    `shares` says how many of each. In the caller's transaction: on PostgreSQL rows that
    another runner has locked are skipped; on SQLite the caller is the only writer.
    """
    locks = connection.features.has_select_for_update_skip_locked
    part = OLDEST_OF_ONE.format(lock="FOR UPDATE SKIP LOCKED" if locks else "")
    wanted = list(shares.items())[:MOST_DESTINATIONS]
    if not wanted:
        return []
    moments = _moment(now), _moment(lease_cutoff or now)
    values: list[Any] = [
        value for name, count in wanted for value in (name, *moments, count)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([part] * len(wanted)), values)
        return [pk for (pk,) in cursor.fetchall()]


def due(now: datetime, *, lease_cutoff: datetime | None = None) -> QuerySet[Recipient]:
    """Returns every recipient that is due and not leased."""
    return Recipient.objects.filter(
        Q(leased_until=None) | Q(leased_until__lte=lease_cutoff or now),
        status=RecipientStatus.QUEUED,
        next_attempt_at__lte=now,
    )


def outage_replies(destinations: Collection[str]) -> defaultdict[str, str]:
    """Returns why each destination could not be reached lately; empty where it could.

    A reply given in a conversation is left out, because it may name a recipient of
    another sender.
    """
    found: defaultdict[str, str] = defaultdict(str)
    for name in destinations:
        waiting = Recipient.objects.filter(
            status=RecipientStatus.QUEUED, destination=name
        )
        # What was tried last is due last, and so is at the end of the index.
        newest = waiting.order_by("-next_attempt_at", "-pk")[:NEWEST]
        for reply in newest.values_list("last_reply", flat=True):
            if not found[name] and reply.startswith(_OUTAGES):
                found[name] = reply
    return found


def served_since(since: datetime, destinations: Collection[str]) -> set[str]:
    """Returns the destinations that accepted mail since then, from whichever engine."""
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
