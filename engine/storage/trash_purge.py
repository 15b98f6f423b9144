"""Erases messages whose time in Deleted or Junk, or since they were withdrawn, is over."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from engine.database import batches
from engine.storage import message_actions, withdrawals
from engine.storage.models import Message

# Messages erased in one transaction, so that no delivery waits long for the mailbox's row.
CHUNK = 500


def purge() -> int:
    """Erases expired messages and returns how many.

    Each chunk is a transaction of its own: a crash between two leaves nothing half done.
    """
    return batches.run(_erase_chunk) + batches.run(_erase_withdrawn)


def _erase_chunk() -> int:
    ids = list(_expired().values_list("pk", flat=True)[:CHUNK])
    message_actions.erase(ids)
    return len(ids)


def _erase_withdrawn() -> int:
    return withdrawals.erase_expired(CHUNK)


def _expired() -> QuerySet[Message]:
    return Message.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
