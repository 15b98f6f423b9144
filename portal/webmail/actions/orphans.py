"""Files whose draft was thrown away elsewhere: in a list of messages, or by its age."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from engine.storage.models import Message
from portal.webmail.actions import files
from portal.webmail.draft import Draft
from portal.webmail.models import DraftFile

# A file is added before the words are saved for the first time, but not days before.
AGE = timedelta(days=2)


def sweep() -> int:
    """Remove old files whose draft was thrown away elsewhere; return how many."""
    removed = 0
    old = DraftFile.objects.filter(added_at__lt=timezone.now() - AGE)
    for row in old.iterator(chunk_size=500):
        message_id = Draft(token=row.token).message_id
        kept = Message.objects.filter(mailbox_id=row.mailbox_id, message_id=message_id)
        if not kept.exists():
            with transaction.atomic():
                files.drop([row])
            removed += 1
    return removed
