"""How the service stood each minute, for the plots of the last day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from engine.health import mail
from engine.health.models import Sample
from engine.health.situation import Situation
from engine.jobs import queue
from engine.queue.models import QueuedMessage

KEPT = timedelta(days=8)
MINUTE = timedelta(minutes=1)


class Values(TypedDict, total=False):
    """JSON: one minute."""

    accepted: int
    """Messages accepted in that minute."""
    waiting: int
    """Recipients in the queue."""
    oldest: float
    """Seconds since the oldest of them was accepted."""
    jobs: int
    """Jobs that are due and not begun."""
    disk: float
    """Free room on the fullest disk of a host, in percent."""
    lag: float
    """The most that an event loop was late, in seconds."""


def take(situation: Situation) -> None:
    """Keep how things stand, once for each minute, and forget what is long past."""
    now = situation.now
    minute = now.replace(second=0, microsecond=0)
    sample = Sample(at=minute, values=_values(situation))
    Sample.objects.bulk_create([sample], ignore_conflicts=True)
    Sample.objects.filter(at__lt=now - KEPT).delete()


def _values(situation: Situation) -> Values:
    now = situation.now
    waiting = mail.destinations(now)
    values: Values = {
        "accepted": QueuedMessage.objects.filter(accepted_at__gt=now - MINUTE).count(),
        "waiting": sum(one.waiting for one in waiting),
        "oldest": max(
            ((now - one.oldest).total_seconds() for one in waiting), default=0
        ),
        "jobs": sum(one.count for one in queue.waiting(now)),
        "lag": max(
            (one.facts.get("loop_lag", 0.0) for one in situation.alive), default=0
        ),
    }
    disks = [
        100 * one.facts["disk_free"] / one.facts["disk_total"]
        for one in situation.alive
        if one.facts.get("disk_total")
    ]
    if disks:
        values["disk"] = round(min(disks), 1)
    return values


def since(moment: datetime) -> list[Sample]:
    """The samples from that moment on, the oldest first."""
    return list(Sample.objects.filter(at__gte=moment))
