"""Whether SCRAM is offered: once the app passwords that are in use can sign in by it.

Many mail programs take the strongest mechanism that is offered, and no other when that
fails. Of app passwords made before SCRAM came, only digests are stored, so that offering it
would shut those programs out until someone set them to PLAIN.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from engine.registry.models import AppPassword

# An app password that has not signed in for so long does not keep SCRAM from the others.
IN_USE = timedelta(days=30)
INTERVAL = 60.0  # seconds

_is_offered = False
_due_at = 0.0


def is_offered() -> bool:
    """Returns whether SCRAM is offered now, as of the last refresh."""
    return _is_offered


def refresh() -> None:
    """Looks whether an app password in use has no SCRAM keys. Reads the database."""
    global _is_offered
    since = timezone.now() - IN_USE
    without = AppPassword.objects.live().filter(scram="", last_used_at__gt=since)
    _is_offered = not without.exists()


def refresh_when_due() -> None:
    """Refreshes once a minute, for a caller that comes more often."""
    global _due_at
    now = time.monotonic()
    if now >= _due_at:
        refresh()
        _due_at = now + INTERVAL
