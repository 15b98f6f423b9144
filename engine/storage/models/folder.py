from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox


class FolderRole(models.TextChoices):
    """What a folder is for. Custom ones are the owner's own."""

    INBOX = "inbox", "Inbox"
    DRAFTS = "drafts", "Drafts"
    SENT = "sent", "Sent"
    ARCHIVE = "archive", "Archive"
    JUNK = "junk", "Junk"
    TRASH = "trash", "Deleted"
    CUSTOM = "custom", "Custom"


class Folder(models.Model):
    """A place for messages inside a mailbox."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="folders"
    )
    role = models.CharField(max_length=10, choices=FolderRole.choices)
    name = models.CharField(max_length=100)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "name"], name="folder_name_once"
            ),
            models.UniqueConstraint(
                fields=["mailbox", "role"],
                condition=~models.Q(role=FolderRole.CUSTOM),
                name="folder_role_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_custom(self) -> bool:
        """Made by the owner, who may rename and delete it."""
        return self.role == FolderRole.CUSTOM

    @property
    def is_waste(self) -> bool:
        """What lies here goes for good after a time."""
        return self.role in (FolderRole.TRASH, FolderRole.JUNK)

    @property
    def takes_messages(self) -> bool:
        """Whether messages may be moved here by hand."""
        return self.role not in (FolderRole.DRAFTS, FolderRole.SENT)
