"""Taking due recipients for one runner, for a time: however many runners there are.

On PostgreSQL the rows are locked with SKIP LOCKED, so that runners pass each other by;
on SQLite the transaction is the only writer. Either way a row that is leased to
somebody is not due, and a lease that its holder did not renew runs out.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from engine.mail.address import Address
from engine.mail.reply import Reply
from engine.queue import schedule, suspension
from engine.queue.destinations import OUTSIDE
from engine.queue.incoming import MAILBOX
from engine.queue.models import Recipient, RecipientStatus, Source
from engine.registry import routes
from engine.registry.routes import RouteKind, Routes
from engine.transport.base import Parcel, ParcelRecipient

LIMIT = 100  # recipients in one claim

# How many parcels one runner may have under way to one destination, and to all of them.
PER_DESTINATION = 20
IN_ALL = 200
# Of the room that is left, no destination gets more than one part in so many.
PARTS = 5

# Destinations that are next hops.
FAR = RouteKind.CONNECTION.value

_dice = random.SystemRandom()


def claim(runner: str, *, under_way: Counter[str] | None = None) -> list[Parcel]:
    """Lease due recipients to the runner and return them as parcels.

    The next attempt is written before anybody dials, so that a crash never hammers a
    peer. Recipients of suspended organisations are held instead. `under_way` counts the
    runner's parcels by destination: none gets more than its share, however much is due,
    so that slow next hops, however many they are, leave room for others. What needs no
    network waits for none of them.
    """
    counts = under_way or Counter()
    room = IN_ALL - sum(n for name, n in counts.items() if name != MAILBOX)
    share = max(1, min(PER_DESTINATION, room // PARTS))
    due = _due(timezone.now(), [name for name, n in counts.items() if n >= share])
    if room <= 0:
        due = due.exclude(destination__startswith=FAR).exclude(destination=OUTSIDE)
    if not due.exists():  # a look takes no lock; claiming would
        return []
    known = routes.current()
    with transaction.atomic():
        rows = list(
            due.select_related("message__content")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_attempt_at")[:LIMIT]
        )
        taken = _shares(suspension.without_suspended(rows, known), counts, share)
        _lease(taken, runner)
    return _parcels(taken, known)


def renew(runner: str, recipient_ids: Collection[int]) -> None:
    """Keep the leases of what is still being worked on."""
    _leased_to(runner).filter(pk__in=recipient_ids).update(
        leased_until=timezone.now() + schedule.LEASE
    )


def give_back(runner: str) -> None:
    """Let go of everything that the runner holds: it stops."""
    _leased_to(runner).update(leased_until=None, leased_by="")


def lock(runner: str, recipient_ids: Iterable[int]) -> dict[int, Recipient]:
    """Those of the recipients that are still queued and ours, locked until the commit."""
    mine = _leased_to(runner).filter(pk__in=list(recipient_ids))
    rows = mine.select_related("message").select_for_update(of=("self",))
    return {row.pk: row for row in rows.order_by("pk")}


def hurry(destination: str, replies: Iterable[Reply]) -> int:
    """Try again now what waits for a destination because of one of those replies."""
    waiting = Recipient.objects.filter(
        destination=destination, status=RecipientStatus.QUEUED, leased_until=None
    )
    because = Q(pk__in=[])
    for reply in replies:
        because |= Q(last_reply__startswith=f"{reply.code} {reply.enhanced} ")
    return waiting.filter(because).update(next_attempt_at=timezone.now())


def _due(now: datetime, busy: Collection[str]) -> QuerySet[Recipient]:
    return Recipient.objects.filter(
        Q(leased_until=None) | Q(leased_until__lte=now),
        status=RecipientStatus.QUEUED,
        next_attempt_at__lte=now,
    ).exclude(destination__in=busy)


def _shares(
    rows: Iterable[Recipient], under_way: Counter[str], share: int
) -> list[Recipient]:
    """As many of the rows as leave no destination with more than its share.

    Mailboxes here are no one's bottleneck: they are all served together.
    """
    messages: defaultdict[str, set[int]] = defaultdict(set)
    taken = []
    for row in rows:
        known = messages[row.destination]
        room = share - under_way[row.destination]
        if row.destination == MAILBOX or row.message_id in known or len(known) < room:
            known.add(row.message_id)
            taken.append(row)
    return taken


def _leased_to(runner: str) -> QuerySet[Recipient]:
    return Recipient.objects.filter(leased_by=runner, status=RecipientStatus.QUEUED)


def _lease(rows: Sequence[Recipient], runner: str) -> None:
    now = timezone.now()
    for row in rows:
        row.attempts += 1
        row.next_attempt_at = now + schedule.delay_after(row.attempts, _dice.random())
        row.leased_until = now + schedule.LEASE
        row.leased_by = runner
    Recipient.objects.bulk_update(
        rows,
        ["attempts", "next_attempt_at", "leased_until", "leased_by", "destination"],
    )


def _parcels(rows: Iterable[Recipient], known: Routes) -> list[Parcel]:
    together: defaultdict[tuple[int, str], list[Recipient]] = defaultdict(list)
    for row in rows:
        together[row.message_id, row.destination].append(row)
    return [_parcel(group, known) for group in together.values()]


def _parcel(rows: Sequence[Recipient], known: Routes) -> Parcel:
    message, destination = rows[0].message, rows[0].destination
    kind, _, number = destination.partition(":")
    return Parcel(
        reference=message.reference,
        content=message.content,
        sender=Address.parse(message.sender) if message.sender else None,
        recipients=tuple(
            ParcelRecipient(
                row.pk, Address.parse(row.address), row.original, row.notify
            )
            for row in rows
        ),
        destination=destination,
        envelope_id=message.envelope_id,
        wants_full=message.dsn_full,
        is_notice=message.source in (Source.SYSTEM, Source.DSN),
        connection=known.connection(int(number)) if kind == "connection" else None,
    )
