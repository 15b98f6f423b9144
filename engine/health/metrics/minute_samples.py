"""Samples the service each minute, for the console's plots of the last day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from engine.health.checks import mail_flow
from engine.health.checks.findings import CheckContext
from engine.health.models import Sample
from engine.jobs import backlog
from engine.queue.models import QueuedMessage

KEPT = timedelta(days=8)
MINUTE = timedelta(minutes=1)


class Values(TypedDict, total=False):
    """The values of one minute, as JSON."""

    accepted: int
    """Messages accepted in that minute."""
    waiting: int
    """Recipients in the queue."""
    oldest: float
    """Seconds since the oldest of them was accepted."""
    jobs: int
    """Jobs that are due and not started."""
    disk: float
    """Free space on the fullest disk of any host, in percent."""
    lag: float
    """The longest lag of any event loop, in seconds."""


def record(context: CheckContext) -> None:
    """Stores the sample of this minute unless it exists, and deletes old ones."""
    now = context.now
    minute = now.replace(second=0, microsecond=0)
    sample = Sample(at=minute, values=_values(context))
    Sample.objects.bulk_create([sample], ignore_conflicts=True)
    Sample.objects.filter(at__lt=now - KEPT).delete()


def _values(context: CheckContext) -> Values:
    now = context.now
    waiting = mail_flow.destinations(now)
    values: Values = {
        "accepted": QueuedMessage.objects.filter(accepted_at__gt=now - MINUTE).count(),
        "waiting": sum(one.waiting for one in waiting),
        "oldest": max(
            ((now - one.oldest).total_seconds() for one in waiting), default=0
        ),
        "jobs": sum(one.count for one in backlog.by_lane(now)),
        "lag": max(
            (one.facts.get("loop_lag", 0.0) for one in context.alive), default=0
        ),
    }
    disks = [
        100 * one.facts["disk_free"] / one.facts["disk_total"]
        for one in context.alive
        if one.facts.get("disk_total")
    ]
    if disks:
        values["disk"] = round(min(disks), 1)
    return values


def since(moment: datetime) -> list[Sample]:
    """Returns the samples from that moment on, the oldest first."""
    return list(Sample.objects.filter(at__gte=moment))
