"""The backlog of each lane, and the repair of rows that would never run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q
from django_q.models import OrmQ

from engine.database import clock
from engine.jobs.models import JobRun
from engine.jobs.queue import LEASE, MAX_DELAY


@dataclass(frozen=True, slots=True)
class LaneBacklog:
    """The jobs of a lane that are due and that no worker has started."""

    lane: str
    count: int
    due_since: datetime | None


def by_lane(now: datetime) -> list[LaneBacklog]:
    """Returns the backlog of each lane that has jobs. Makes one query."""
    due = Q(lock__lte=now)
    rows = OrmQ.objects.order_by().values("key")
    counted = rows.annotate(
        count=Count("pk", filter=due), oldest=Min("lock", filter=due)
    )
    return [LaneBacklog(row["key"], row["count"], row["oldest"]) for row in counted]


def bring_forward() -> int:
    """Makes jobs due that wait longer than any delay can be; returns how many.

    They were queued while the database's clock ran ahead, and would wait for that date.
    """
    now = clock.now()
    latest = now + MAX_DELAY * 1.1 + LEASE
    return int(OrmQ.objects.filter(lock__gt=latest).update(lock=now))


def delete_orphans() -> int:
    """Deletes the JobRuns of jobs that are no longer queued; returns how many."""
    rows = JobRun.objects.unfinished().exclude(
        queue_id__in=OrmQ.objects.values_list("pk", flat=True)
    )
    return rows.delete()[0]
