"""Backups: when the operator's script last said that one is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from engine.database import clock
from engine.health.models import Backup
from engine.health.situation import Finding, Situation

KEPT = 100


def note() -> datetime:
    """A backup is done, now."""
    made = Backup.objects.create(at=clock.now())
    kept = Backup.objects.values_list("pk", flat=True)[:KEPT]
    Backup.objects.exclude(pk__in=list(kept)).delete()
    return made.at


def last() -> datetime | None:
    """When the last one was done; None where none was ever noted."""
    newest = Backup.objects.first()
    return newest.at if newest else None


def is_late(at: datetime, now: datetime) -> bool:
    """Whether a last backup at that moment is too long ago."""
    return now - at > timedelta(hours=settings.POSTERN.backup_hours)


def look(situation: Situation) -> Iterator[Finding]:
    """Too long since the last one, where backups are noted at all."""
    at = last()
    if at is not None and is_late(at, situation.now):
        yield Finding("backup", "", f"The last was on {at:%-d %B at %H:%M} UTC.")
