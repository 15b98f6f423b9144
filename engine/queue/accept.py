"""Accepting messages: from here on they are ours to deliver or to report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from engine.queue import insertion
from engine.queue.incoming import Incoming, new_reference
from engine.queue.models import QueuedMessage, RecipientStatus

__all__ = ["Incoming", "commit", "commit_batch", "new_reference"]

# How long a resend of the same bytes to the same people counts as the same message,
# unless the first one failed for somebody.
RESEND_WINDOW = timedelta(hours=24)


def commit(batch: Sequence[Incoming]) -> list[str]:
    """Commit messages in one transaction and return their references.

    When this returns, all of it is on the disk. A resend gets the reference of the
    message that it repeats, and is not kept again.
    """
    return commit_batch(batch)[0]


@transaction.atomic
def commit_batch(batch: Sequence[Incoming]) -> tuple[list[str], bool]:
    """The same, and whether something is left for the runner to deliver."""
    known = _known_fingerprints(batch)
    fresh: list[Incoming] = []
    references = []
    for incoming in batch:
        reference = known.get(incoming.fingerprint)
        if reference is None:
            reference = incoming.reference
            fresh.append(incoming)
            if incoming.fingerprint:
                known[incoming.fingerprint] = reference
        references.append(reference)
    return references, bool(fresh) and insertion.insert(fresh)


def _known_fingerprints(batch: Sequence[Incoming]) -> dict[str, str]:
    fingerprints = [i.fingerprint for i in batch if i.fingerprint]
    if not fingerprints:
        return {}
    rows = QueuedMessage.objects.filter(
        fingerprint__in=fingerprints, accepted_at__gt=timezone.now() - RESEND_WINDOW
    ).exclude(recipients__status__in=[RecipientStatus.FAILED, RecipientStatus.DROPPED])
    return dict(rows.values_list("fingerprint", "reference"))
