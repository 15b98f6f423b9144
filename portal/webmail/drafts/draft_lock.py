"""Serialises changes to the drafts of one mailbox."""

from __future__ import annotations

from engine.registry.models import Mailbox
from engine.storage.models import Folder, FolderRole
from engine.storage.standard_folders import folder


def lock_drafts(mailbox: Mailbox) -> Folder:
    """Locks the mailbox's Drafts folder until the transaction ends, and returns it."""
    drafts = folder(mailbox, FolderRole.DRAFTS)
    return Folder.objects.select_for_update().get(pk=drafts.pk)
