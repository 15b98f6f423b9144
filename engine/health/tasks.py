"""How many jobs wait for the worker, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q
from django_q.models import OrmQ


@dataclass(frozen=True, slots=True)
class Waiting:
    """The jobs of a lane that are due and that nobody has begun."""

    lane: str
    count: int
    due_since: datetime | None


def waiting(now: datetime) -> list[Waiting]:
    """What waits in each lane. One query."""
    due = Q(lock__lte=now)
    rows = OrmQ.objects.order_by().values("key")
    counted = rows.annotate(
        count=Count("pk", filter=due), oldest=Min("lock", filter=due)
    )
    return [Waiting(row["key"], row["count"], row["oldest"]) for row in counted]
