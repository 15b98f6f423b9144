"""What the console tells of the worker's jobs."""

from __future__ import annotations

from datetime import datetime

from django_q.models import OrmQ, Success


def waiting() -> int:
    """How many jobs wait for the worker."""
    return int(OrmQ.objects.count())


def last_done() -> datetime | None:
    """When the worker last ended a job well."""
    newest = Success.objects.order_by("-stopped").first()
    return newest.stopped if newest else None
