"""Which process does what only one must do: a lease by the database's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from engine.health.models import Duty

LEASE = timedelta(seconds=15)


def take(name: str, holder: str, now: datetime) -> bool:
    """Take the duty, or keep it; False while another process has it and lives."""
    free = Q(holder=holder) | Q(until__lt=now)
    if Duty.objects.filter(free, name=name).update(holder=holder, until=now + LEASE):
        return True
    if Duty.objects.filter(name=name).exists():
        return False
    first = Duty(name=name, holder=holder, until=now + LEASE)
    Duty.objects.bulk_create([first], ignore_conflicts=True)
    return Duty.objects.filter(name=name, holder=holder).exists()


def leave(holder: str) -> None:
    """Let go of what this process holds: it ends."""
    Duty.objects.filter(holder=holder).delete()
