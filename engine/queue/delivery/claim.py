"""Claims due recipients for one runner under a lease, whatever the number of runners.

On PostgreSQL rows are locked with SKIP LOCKED, so that runners pass each other by; on
SQLite the transaction is the only writer. A leased row is not due, and a lease that its
holder does not renew runs out, so that the work of a runner that died is taken over.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from engine.database import bulk_rows, clock
from engine.mail.address import Address
from engine.mail.smtp_replies import Reply
from engine.queue import retry_schedule
from engine.queue.delivery import due_recipients, suspension
from engine.queue.delivery.concurrency import Capacity, needs_network
from engine.queue.models import Recipient, RecipientStatus, Source
from engine.routing import routes
from engine.routing.routes import Routes
from engine.storage import content_keys
from engine.transport import sts_policies
from engine.transport.parcel import Parcel, ParcelRecipient

# Recipients in one claim for each destination that needs no network, and for all of them:
# a claim is one transaction, however many lists and bounce addresses have something due.
LIMIT = 100
LOCAL_IN_ALL = 500
# Recipients in one parcel (RFC 5321 §4.5.3.1.8: a server must take a hundred), and all
# that are looked at because they belong to a message that is claimed.
PARCEL_LIMIT = 100
COMPANIONS = 1000

# The columns that a claim changes.
LEASED = ("attempts", "next_attempt_at", "leased_until", "leased_by", "destination")

_random = random.SystemRandom()

# A parcel is made of one message for one destination.
Pair = tuple[int, str]


def claim(
    runner: str,
    capacity: Capacity | None = None,
    *,
    held: Collection[int] = (),
    lease_cutoff: datetime | None = None,
) -> list[Parcel]:
    """Leases due recipients to the runner and returns them as parcels.

    The next attempt is written before anybody dials, so that a crash never hammers a
    peer. Recipients of suspended organisations are held instead. `capacity` says how many
    parcels each destination may have; closed destinations are not looked at, however much
    is due there. Mail that needs no network waits for no next hop.

    `held` are the recipients that the runner is still delivering: where their leases ran
    out meanwhile, they are renewed and not claimed, or they would be sent again. With
    `lease_cutoff`, only leases that ended by then are free (see `database_outage`).
    """
    capacity = capacity or Capacity()
    now = clock.now()
    # Read without a lock, in its own statement: most polls find nothing due, and on
    # SQLite opening the transaction would block every other writer.
    waiting = due_recipients.destinations(
        now, capacity.closed, lease_cutoff=lease_cutoff
    )
    remote = capacity.shares([name for name in waiting if needs_network(name)])
    local = [name for name in waiting if not needs_network(name)]
    shares = remote + _local_shares(local, len(remote))
    if not shares:
        return []
    known = routes.current()
    with transaction.atomic():
        found = _lock_due(now, shares, lease_cutoff)
        free = [row for row in found if row.leased_by != runner or row.pk not in held]
        rows = suspension.hold_suspended(free, known)
        _lease(rows, runner)
    if len(free) < len(found):
        renew_leases(runner, held)
    parcels = _parcels(rows, known)
    # Here, because transports run on the event loop, where nothing may be looked up.
    content_keys.load(parcels)
    return parcels


@transaction.atomic
def renew_leases(runner: str, recipient_ids: Collection[int]) -> None:
    """Extends the runner's leases on these recipients."""
    mine = leased_to(runner).filter(pk__in=recipient_ids)
    # Rows that are locked at the moment are having their outcome recorded. Waiting for
    # several of them in another order than the recorder locks them could deadlock.
    ids = list(mine.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Recipient.objects.filter(pk__in=ids).update(
        leased_until=clock.now() + retry_schedule.LEASE
    )


def release_leases(runner: str) -> None:
    """Gives back everything that the runner holds, because it stops."""
    leased_to(runner).update(leased_until=None, leased_by="")


def lock_leased(runner: str, recipient_ids: Iterable[int]) -> dict[int, Recipient]:
    """Locks and returns the recipients that are still queued and leased to the runner."""
    mine = leased_to(runner).filter(pk__in=list(recipient_ids))
    rows = mine.select_related("message").select_for_update(of=("self",))
    # In the order of ids, as everywhere, so that two transactions cannot deadlock.
    return {row.pk: row for row in rows.order_by("pk")}


def retry_now(destination: str, replies: Iterable[Reply]) -> int:
    """Makes due what waits for a destination because of one of these replies."""
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


def _local_shares(waiting: Sequence[str], remote: int) -> Counter[str]:
    """Returns how many recipients each destination that needs no network gets.

    Where there are too many destinations for one claim, the longest waits come first.
    """
    local = waiting[: max(0, due_recipients.MOST_DESTINATIONS - remote)]
    return Counter({name: min(LIMIT, LOCAL_IN_ALL // len(local)) for name in local})


def _lock_due(
    now: datetime, shares: Counter[str], lease_cutoff: datetime | None
) -> list[Recipient]:
    """Locks each destination's oldest recipients, and others of the same messages.

    A message with many recipients on one server counts as one and is sent once.
    """
    ids = due_recipients.lock_oldest(now, shares, lease_cutoff=lease_cutoff)
    oldest = Recipient.objects.filter(pk__in=ids).select_related("message__content")
    rows = list(oldest.order_by("next_attempt_at", "pk"))
    pairs = {_pair(row) for row in rows if needs_network(row.destination)}
    companions = (
        due_recipients.due(now, lease_cutoff=lease_cutoff)
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
    # Rows of other pairs are in the result, too: two lists of values select their product.
    for row in companions if pairs else ():
        pair = _pair(row)
        if pair in pairs and count[pair] < PARCEL_LIMIT:
            count[pair] += 1
            rows.append(row)
    return rows


def _pair(row: Recipient) -> Pair:
    return row.message_id, row.destination


def leased_to(runner: str) -> QuerySet[Recipient]:
    """Returns the queued recipients that the runner holds, even if their lease ran out."""
    return Recipient.objects.filter(leased_by=runner, status=RecipientStatus.QUEUED)


def _lease(rows: Sequence[Recipient], runner: str) -> None:
    now = clock.now()
    # One random delay for each parcel, so that its recipients become due together and
    # are sent in one conversation again.
    chances: defaultdict[Pair, float] = defaultdict(_random.random)
    for row in rows:
        row.attempts += 1
        delay = retry_schedule.delay_after(row.attempts, chances[_pair(row)])
        row.next_attempt_at = now + delay
        row.leased_until = now + retry_schedule.LEASE
        row.leased_by = runner
    bulk_rows.update(Recipient, LEASED, rows)


def _parcels(rows: Iterable[Recipient], known: Routes) -> list[Parcel]:
    groups: defaultdict[Pair, list[Recipient]] = defaultdict(list)
    for row in rows:
        groups[_pair(row)].append(row)
    return [_parcel(group, known) for group in groups.values()]


def _parcel(rows: Sequence[Recipient], known: Routes) -> Parcel:
    message, destination = rows[0].message, rows[0].destination
    kind, _, number = destination.partition(":")
    connection = known.connection(int(number)) if kind == "connection" else None
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
        requires_tls=message.requires_tls,
        is_notice=message.source in (Source.SYSTEM, Source.DSN),
        connection=connection,
        sts=sts_policies.in_force(connection.verified_domains) if connection else (),
    )
