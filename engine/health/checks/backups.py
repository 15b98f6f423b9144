"""Backups: records those that the operator's script reports, and finds that one is due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from engine.database import clock
from engine.health.checks.findings import CheckContext, Finding
from engine.health.models import Backup

MAX_KEPT = 100


def note() -> datetime:
    """Records that a backup was completed now, and returns that moment."""
    made = Backup.objects.create(at=clock.now())
    kept = Backup.objects.values_list("pk", flat=True)[:MAX_KEPT]
    Backup.objects.exclude(pk__in=list(kept)).delete()
    return made.at


def last() -> datetime | None:
    """Returns when the last backup was completed; None if none was ever recorded."""
    newest = Backup.objects.first()
    return newest.at if newest else None


def is_late(at: datetime, now: datetime) -> bool:
    """Whether a backup at that moment is older than POSTERN_BACKUP_HOURS."""
    return now - at > timedelta(hours=settings.POSTERN.backup_hours)


def check(context: CheckContext) -> Iterator[Finding]:
    """Yields a finding if the last backup is too old.

    Where none was ever recorded, backups are made by other means and are not checked.
    """
    at = last()
    if at is not None and is_late(at, context.now):
        yield Finding("backup", "", f"The last was on {at:%-d %B at %H:%M} UTC.")
