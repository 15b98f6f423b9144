"""Leader election by a lease in the database: one process does what only one may do."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from engine.health.models import Duty

LEASE = timedelta(seconds=15)


def acquire(name: str, holder: str, now: datetime) -> bool:
    """Takes or renews the lease; returns False while another process holds it.

    `now` is by the database's clock, which all hosts share: by a clock of its own, a host
    that is ahead would take a lease that has not expired.
    """
    free = Q(holder=holder) | Q(until__lt=now)
    if Duty.objects.filter(free, name=name).update(holder=holder, until=now + LEASE):
        return True
    if Duty.objects.filter(name=name).exists():
        return False
    # The first time ever. Of several that insert, the database keeps one.
    first = Duty(name=name, holder=holder, until=now + LEASE)
    Duty.objects.bulk_create([first], ignore_conflicts=True)
    return Duty.objects.filter(name=name, holder=holder).exists()


def release(holder: str) -> None:
    """Gives up all leases of a process that ends, so that another need not wait."""
    Duty.objects.filter(holder=holder).delete()
