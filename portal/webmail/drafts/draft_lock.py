"""Whoever changes the drafts of one mailbox takes turns."""

from __future__ import annotations

from engine.registry.models import Mailbox
from engine.storage.mailbox_delivery import folder
from engine.storage.models import Folder, FolderRole


def take_turn(mailbox: Mailbox) -> Folder:
    """The mailbox's Drafts, locked until the caller's transaction ends."""
    drafts = folder(mailbox, FolderRole.DRAFTS)
    return Folder.objects.select_for_update().get(pk=drafts.pk)
