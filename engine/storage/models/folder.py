"""Folders of mailboxes."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox


class FolderRole(models.TextChoices):
    """The purpose of a folder. Custom folders are the owner's own."""

    INBOX = "inbox", "Inbox"
    DRAFTS = "drafts", "Drafts"
    SENT = "sent", "Sent"
    ARCHIVE = "archive", "Archive"
    JUNK = "junk", "Junk"
    TRASH = "trash", "Deleted"
    # Made when a mailbox snoozes its first message.
    SNOOZED = "snoozed", "Snoozed"
    CUSTOM = "custom", "Custom"


class Folder(models.Model):
    """A folder of a mailbox, for messages."""

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
        """Whether the owner made it, and so may rename and delete it."""
        return self.role == FolderRole.CUSTOM

    @property
    def is_waste(self) -> bool:
        """Whether messages here are erased after a time."""
        return self.role in (FolderRole.TRASH, FolderRole.JUNK)

    @property
    def takes_messages(self) -> bool:
        """Whether a person may move messages here."""
        return self.role not in (
            FolderRole.DRAFTS,
            FolderRole.SENT,
            FolderRole.SNOOZED,
        )
