"""Whether mail flows: what waits, for where, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, F, Min, Q, When

from engine.database import clock
from engine.health.situation import Finding, Situation, Unknown, fold
from engine.queue.models import (
    PendingNotice,
    QueuedMessage,
    Recipient,
    RecipientStatus,
)
from engine.queue.notifications.notice_routing import OUTSIDE
from engine.storage.models import AutomaticMail
from engine.transport import connection_errors

SLOW = timedelta(minutes=10)
STOPPED = timedelta(minutes=30)
# An operator hears of a broken peer within the minute; one that comes and goes is one alarm.
DOWN = timedelta(seconds=30)
RULES = frozenset(
    {"mail_slow", "mail_stopped", "destination", "smart_host", "automatic_mail"}
)
# Tries after which a notice that cannot be written is no passing fault.
TRIES = 3

# What stands in Recipient.last_reply where no conversation took place.
_UNREACHABLE = Q(pk__in=[])
for _reply in connection_errors.ALL:
    _UNREACHABLE |= Q(last_reply__startswith=f"{_reply.code} {_reply.enhanced} ")


@dataclass(frozen=True, slots=True)
class Destination:
    """Mail that waits for one place."""

    key: str
    waiting: int
    oldest: datetime
    """When the message was accepted that waits the longest."""
    due_since: datetime | None
    """Since when somebody's mail is due and nobody tries; None where nothing is."""
    unreachable: int
    """Of how many recipients the last attempt had no conversation."""
    down_since: datetime | None
    """When the oldest of those was accepted."""

    @property
    def is_down(self) -> bool:
        return self.down_since is not None


def destinations(now: datetime) -> list[Destination]:
    """What waits for each destination, the oldest first. Two queries."""
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    due = Case(When(free & Q(next_attempt_at__lte=now), then=F("next_attempt_at")))
    rows = list(
        Recipient.objects.filter(status=RecipientStatus.QUEUED)
        .order_by()
        .values("destination")
        .annotate(
            waiting=Count("pk"),
            first=Min("message_id"),
            due_since=Min(due),
            unreachable=Count("pk", filter=_UNREACHABLE),
            first_unreachable=Min("message_id", filter=_UNREACHABLE),
        )
    )
    # By the lowest id, which is the oldest message: joining every row would take long.
    firsts = {row[key] for row in rows for key in ("first", "first_unreachable")}
    accepted = dict(
        QueuedMessage.objects.filter(pk__in=firsts).values_list("pk", "accepted_at")
    )
    found = [
        Destination(
            row["destination"],
            row["waiting"],
            accepted.get(row["first"], now),
            row["due_since"],
            row["unreachable"],
            accepted.get(row["first_unreachable"]),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: one.oldest)


def look(situation: Situation) -> Iterator[Finding | Unknown]:
    """Mail that waits though it could be delivered, and destinations that are down."""
    now = situation.now
    found = destinations(now)
    due = [one.due_since for one in found if one.due_since and not one.is_down]
    if due:
        waits = now - min(due)
        said = f"The oldest has been due for {waits.total_seconds() // 60:.0f} minutes."
        if waits > STOPPED:
            yield Finding("mail_stopped", "", said)
        elif waits > SLOW:
            yield Finding("mail_slow", "", said)
    down = list(_down(found, now))
    yield from (one for one in down if one.rule == "smart_host")
    others = [one for one in down if one.rule == "destination"]
    yield from fold(others, "destinations do not answer.")
    yield from _automatic()


def _down(found: Iterable[Destination], now: datetime) -> Iterator[Finding]:
    for one in found:
        if one.down_since is not None and now - one.down_since > DOWN:
            rule = "smart_host" if one.key == OUTSIDE else "destination"
            said = f"{one.unreachable} of {one.waiting} recipients wait for it"
            yield Finding(rule, one.key, f"{said}, since {one.down_since:%H:%M} UTC.")


def _automatic() -> Iterator[Finding]:
    """What the service should have sent by itself, and could not."""
    aside = AutomaticMail.objects.exclude(set_aside_at=None)
    if count := aside.count():
        fault = aside.values_list("fault", flat=True).order_by("-set_aside_at")[0]
        said = (
            f"{count} automatic replies and forwards were given up; the last: {fault}"
        )
        yield Finding("automatic_mail", "errands", said)
    if count := PendingNotice.objects.filter(attempts__gte=TRIES).count():
        said = f"{count} delivery notices cannot be written; they are tried each hour."
        yield Finding("automatic_mail", "notices", said)


def now_waiting() -> list[Destination]:
    """The same as of now, by the database's clock."""
    return destinations(clock.now())
