"""Notes which messages were withdrawn, for what they link to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings

from engine.database import clock
from engine.incidents.models import WithdrawnMessage


def note(references: Collection[str], occasion: str) -> None:
    """Notes that messages were withdrawn. Repeating it changes nothing."""
    now = clock.now()
    WithdrawnMessage.objects.bulk_create(
        [
            WithdrawnMessage(reference=one, occasion=occasion, at=now)
            for one in sorted(references)
        ],
        ignore_conflicts=True,
    )


def put_back(occasion: str) -> None:
    """Forgets what one withdrawal or re-scan took out."""
    WithdrawnMessage.objects.filter(occasion=occasion).delete()


def among(references: Collection[str]) -> set[str]:
    """Returns those that are withdrawn now."""
    rows = WithdrawnMessage.objects.filter(reference__in=references)
    return set(rows.values_list("reference", flat=True))


def purge() -> int:
    """Deletes what is as old as outcomes in the trace; returns how many."""
    before = clock.now() - timedelta(days=settings.POSTERN.proof_days)
    return WithdrawnMessage.objects.filter(at__lt=before).delete()[0]
