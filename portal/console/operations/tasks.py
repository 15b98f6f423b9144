"""What django-q2 knows about background jobs that have ended."""

from __future__ import annotations

from datetime import datetime

from django_q.models import Success


def last_success_at() -> datetime | None:
    """When a background job last succeeded; None if none has yet."""
    newest = Success.objects.order_by("-stopped").first()
    return newest.stopped if newest else None
