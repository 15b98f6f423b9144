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

from engine import clock
from engine.mail.address import Address
from engine.mail.smtp_replies import Reply
from engine.queue import retry_schedule
from engine.queue.delivery import due_recipients, suspension
from engine.queue.delivery.concurrency import Room, is_far
from engine.queue.models import Recipient, RecipientStatus, Source
from engine.routing import routes
from engine.routing.routes import Routes
from engine.rows import UPDATED_AT_ONCE
from engine.transport.parcel import Parcel, ParcelRecipient

# Recipients in one claim for each destination that needs no network, and for all of them:
# a claim is one transaction, however many lists and bounce addresses have something due.
LIMIT = 100
NEAR_IN_ALL = 500
# Recipients in one parcel (RFC 5321 §4.5.3.1.8: a server must take a hundred), and all
# that are looked at because they belong to a message that is claimed.
PARCEL_LIMIT = 100
COMPANIONS = 1000

_dice = random.SystemRandom()

# What one parcel is made of: a message, and where it goes.
Pair = tuple[int, str]


def claim(
    runner: str,
    room: Room | None = None,
    *,
    held: Collection[int] = (),
    lapsed: datetime | None = None,
) -> list[Parcel]:
    """Lease due recipients to the runner and return them as parcels.

    The next attempt is written before anybody dials, so that a crash never hammers a
    peer. Recipients of suspended organisations are held instead. `room` says how many
    parcels each destination may have; those that are closed are not looked at, however
    much is due there. What needs no network waits for no next hop.

    `held` are the recipients that the runner is still at: where their leases ran out
    meanwhile, they are renewed and not claimed, or they would be sent again. Leases hold
    until `lapsed`, where that is given (see `outage`).
    """
    room = room or Room()
    now = clock.now()
    # No lock; claiming takes some.
    waiting = due_recipients.destinations(now, room.closed, lapsed=lapsed)
    far = room.shares([name for name in waiting if is_far(name)])
    shares = far + _near_shares([n for n in waiting if not is_far(n)], len(far))
    if not shares:
        return []
    known = routes.current()
    with transaction.atomic():
        found = _locked(now, shares, lapsed)
        free = [row for row in found if row.leased_by != runner or row.pk not in held]
        rows = suspension.without_suspended(free, known)
        _lease(rows, runner)
    if len(free) < len(found):
        renew(runner, held)
    return _parcels(rows, known)


@transaction.atomic
def renew(runner: str, recipient_ids: Collection[int]) -> None:
    """Keep the leases of what is still being worked on.

    What is locked at the moment is being settled, and is passed over: waiting for
    several rows in another order than others do could deadlock.
    """
    mine = leased_to(runner).filter(pk__in=recipient_ids)
    ids = list(mine.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Recipient.objects.filter(pk__in=ids).update(
        leased_until=clock.now() + retry_schedule.LEASE
    )


def give_back(runner: str) -> None:
    """Let go of everything that the runner holds: it stops."""
    leased_to(runner).update(leased_until=None, leased_by="")


def lock(runner: str, recipient_ids: Iterable[int]) -> dict[int, Recipient]:
    """Those of the recipients that are still queued and ours, locked until the commit."""
    mine = leased_to(runner).filter(pk__in=list(recipient_ids))
    rows = mine.select_related("message").select_for_update(of=("self",))
    return {row.pk: row for row in rows.order_by("pk")}


def hurry(destination: str, replies: Iterable[Reply]) -> int:
    """Try again now what waits for a destination because of one of those replies."""
    waiting = Recipient.objects.filter(
        destination=destination,
        status=RecipientStatus.QUEUED,
        leased_until=None,
        next_attempt_at__gt=clock.now(),
    )
    because = Q(pk__in=[])
    for reply in replies:
        because |= Q(last_reply__startswith=f"{reply.code} {reply.enhanced} ")
    return waiting.filter(because).update(next_attempt_at=clock.now())


def _near_shares(waiting: Sequence[str], far: int) -> Counter[str]:
    """The same for each that needs no network, beside so many that do.

    Where there are too many for one claim, those that have waited longest come first.
    """
    near = waiting[: max(0, due_recipients.MOST_DESTINATIONS - far)]
    return Counter({name: min(LIMIT, NEAR_IN_ALL // len(near)) for name in near})


def _locked(
    now: datetime, shares: Counter[str], lapsed: datetime | None
) -> list[Recipient]:
    """The oldest recipients of each destination, with those who get the same message.

    A message with many recipients on one server counts as one and is sent once.
    """
    ids = due_recipients.first(now, shares, lapsed=lapsed)
    oldest = Recipient.objects.filter(pk__in=ids).select_related("message__content")
    rows = list(oldest.order_by("next_attempt_at", "pk"))
    pairs = {_pair(row) for row in rows if is_far(row.destination)}
    companions = (
        due_recipients.rows(now, lapsed=lapsed)
        .filter(
            message__in={message for message, _ in pairs},
            destination__in={destination for _, destination in pairs},
        )
        .exclude(pk__in=ids)
        .select_related("message__content")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")[:COMPANIONS]
    )
    count = Counter(map(_pair, rows))
    for row in companions if pairs else ():
        pair = _pair(row)
        if pair in pairs and count[pair] < PARCEL_LIMIT:
            count[pair] += 1
            rows.append(row)
    return rows


def _pair(row: Recipient) -> Pair:
    return row.message_id, row.destination


def leased_to(runner: str) -> QuerySet[Recipient]:
    """What the runner holds, whether or not its lease has run out meanwhile."""
    return Recipient.objects.filter(leased_by=runner, status=RecipientStatus.QUEUED)


def _lease(rows: Sequence[Recipient], runner: str) -> None:
    now = clock.now()
    # The same delay for all of a parcel, so that they stay together.
    chances: defaultdict[Pair, float] = defaultdict(_dice.random)
    for row in rows:
        row.attempts += 1
        delay = retry_schedule.delay_after(row.attempts, chances[_pair(row)])
        row.next_attempt_at = now + delay
        row.leased_until = now + retry_schedule.LEASE
        row.leased_by = runner
    Recipient.objects.bulk_update(
        rows,
        ["attempts", "next_attempt_at", "leased_until", "leased_by", "destination"],
        batch_size=UPDATED_AT_ONCE,
    )


def _parcels(rows: Iterable[Recipient], known: Routes) -> list[Parcel]:
    together: defaultdict[Pair, list[Recipient]] = defaultdict(list)
    for row in rows:
        together[_pair(row)].append(row)
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
