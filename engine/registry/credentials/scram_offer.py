"""Whether SCRAM is offered: once the app passwords that are in use can sign in by it.

Many mail programs take the strongest mechanism that is offered, and no other when that
fails. Of app passwords made before SCRAM came, only digests are stored, and keys that were
sealed by a secret key which is gone, or made with another salt, cannot be used: offering it
would shut those programs out until someone set them to PLAIN, by which they gain new keys.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from engine.registry.credentials import scram_keys
from engine.registry.models import AppPassword

# An app password that has not signed in for so long does not keep SCRAM from the others.
IN_USE = timedelta(days=30)
INTERVAL = 60.0  # seconds
# App passwords whose keys are tried, those that signed in last: what makes keys unusable is
# a setting, which concerns all of them.
MOST_TRIED = 200

_is_offered = False
_due_at = 0.0


def is_offered() -> bool:
    """Returns whether SCRAM is offered now, as of the last refresh."""
    return _is_offered


def refresh() -> None:
    """Looks whether an app password in use has no usable keys. Reads the database."""
    global _is_offered
    since = timezone.now() - IN_USE
    in_use = AppPassword.objects.live().filter(last_used_at__gt=since)
    latest = in_use.order_by("-last_used_at").values_list("scram", flat=True)
    _is_offered = not in_use.filter(scram="").exists() and all(
        scram_keys.keys_of(sealed) for sealed in latest[:MOST_TRIED]
    )


def refresh_when_due() -> None:
    """Refreshes once a minute, for a caller that comes more often."""
    global _due_at
    now = time.monotonic()
    if now >= _due_at:
        refresh()
        _due_at = now + INTERVAL
