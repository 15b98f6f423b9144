"""Deletes the community's keys to messages that the queue has nothing left to do with.

From then on only the organisations that got the message can read it, although its row
stays for POSTERN_QUEUE_DAYS.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from engine.database import batches
from engine.encryption.models import COMMUNITY, OrganisationKey
from engine.queue.models import PendingNotice, QueuedMessage, Recipient
from engine.storage.models import ContentKey

SLICE = 500  # keys in one transaction


def release() -> int:
    """Deletes the keys of finished messages; returns how many."""
    return batches.run(_release_slice)


def _release_slice() -> int:
    keys = OrganisationKey.objects.filter(organisation_id=COMMUNITY)
    queued = QueuedMessage.objects.filter(content=OuterRef("content"))
    open_recipients = Recipient.objects.filter(
        message__content=OuterRef("content"), finished_at=None
    )
    notices = PendingNotice.objects.filter(
        recipient__message__content=OuterRef("content")
    )
    rows = ContentKey.objects.filter(
        Exists(queued),
        ~Exists(open_recipients),
        ~Exists(notices),
        # By the key and not the organisation: that column has an index of its own.
        key__in=list(keys.values_list("pk", flat=True)),
    )
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:SLICE])
    ContentKey.objects.filter(pk__in=ids).delete()
    return len(ids)
