"""Checks whether mail flows: what waits, for which destination, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, F, Min, Q, When

from engine.health.checks.findings import (
    CheckContext,
    Finding,
    Unknown,
    limit_findings,
)
from engine.queue.models import (
    Hold,
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
# Operators are notified of a broken peer within a minute, of which checking every third
# round may take a quarter; the alarm's calm period makes one alarm of a peer that comes
# and goes.
DOWN = timedelta(seconds=30)
RULES = frozenset(
    {
        "mail_slow", "mail_stopped", "destination", "smart_host", "automatic_mail",
        "unproven_mail",
    }
)  # fmt: skip
# A notice that failed so often has more than a passing fault.
MAX_NOTICE_ATTEMPTS = 3

# The replies that Recipient.last_reply holds where no conversation took place.
_UNREACHABLE = Q(pk__in=[])
for _reply in connection_errors.ALL:
    _UNREACHABLE |= Q(last_reply__startswith=f"{_reply.code} {_reply.enhanced} ")


@dataclass(frozen=True, slots=True)
class Destination:
    """The mail that waits for one destination."""

    key: str
    waiting: int
    """Number of recipients."""
    oldest: datetime
    """When the message that waits longest was accepted."""
    due_since: datetime | None
    """Since when the next attempt of a recipient is due without being made."""
    unreachable: int
    """Number of recipients whose last attempt reached no server."""
    down_since: datetime | None
    """When the oldest message of those was accepted."""

    @property
    def is_down(self) -> bool:
        """Whether the last attempt of any recipient reached no server."""
        return self.down_since is not None


def destinations(now: datetime) -> list[Destination]:
    """Returns the mail that waits, by destination, the oldest first. Makes two queries."""
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
    # The lowest id is the oldest message: joining every recipient's message is slow.
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


def check(context: CheckContext) -> Iterator[Finding | Unknown]:
    """Yields mail that is late for no outside reason, and destinations that are down."""
    now = context.now
    found = destinations(now)
    due = [one.due_since for one in found if one.due_since and not one.is_down]
    if due:
        delay = now - min(due)
        minutes = delay.total_seconds() // 60
        detail = f"The oldest has been due for {minutes:.0f} minutes."
        if delay > STOPPED:
            yield Finding("mail_stopped", "", detail)
        elif delay > SLOW:
            yield Finding("mail_slow", "", detail)
    down = list(_down(found, now))
    yield from (one for one in down if one.rule == "smart_host")
    others = [one for one in down if one.rule == "destination"]
    yield from limit_findings(others, "destinations do not answer.")
    yield from _automatic_mail()
    yield from _unproven_mail()


def _down(found: Iterable[Destination], now: datetime) -> Iterator[Finding]:
    for one in found:
        if one.down_since is not None and now - one.down_since > DOWN:
            rule = "smart_host" if one.key == OUTSIDE else "destination"
            count = f"{one.unreachable} of {one.waiting} recipients wait for it"
            yield Finding(rule, one.key, f"{count}, since {one.down_since:%H:%M} UTC.")


def _automatic_mail() -> Iterator[Finding]:
    """Yields forwards, automatic replies and delivery notices that cannot be sent."""
    given_up = AutomaticMail.objects.exclude(set_aside_at=None)
    if count := given_up.count():
        newest_first = given_up.order_by("-set_aside_at")
        fault = newest_first.values_list("fault", flat=True)[0]
        detail = f"{count} of them were given up; last error: {fault}"
        yield Finding("automatic_mail", "replies and forwards", detail)
    failed = PendingNotice.objects.filter(attempts__gte=MAX_NOTICE_ATTEMPTS)
    if count := failed.count():
        detail = f"{count} delivery notices cannot be written. Retried every hour."
        yield Finding("automatic_mail", "notices", detail)


def _unproven_mail() -> Iterator[Finding]:
    """Yields mail that waits for an operator to decide whether it is genuine."""
    held = Recipient.objects.filter(status=RecipientStatus.HELD, hold=Hold.UNPROVEN)
    if count := held.count():
        yield Finding("unproven_mail", "", f"{count} recipients wait for a decision.")
