from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine.registry.models import Mailbox


class Content(models.Model):
    """The bytes of one message, kept once however many mailboxes hold it.

    The header, with its closing empty line, is always in the row; the body is in the
    row when small, else in the blob store under `blob_key`. `format` says how the
    bytes are written, so that compression or encryption can come later without
    touching what is kept: 1 is as they are.
    """

    PLAIN = 1

    format = models.PositiveSmallIntegerField(default=PLAIN)
    size = models.PositiveBigIntegerField(help_text="octets, header and body")
    body_digest = models.CharField(max_length=64, help_text="SHA-256 of the body")
    header = models.BinaryField()
    body = models.BinaryField(null=True)
    blob_key = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(body__isnull=False, blob_key="")
                | models.Q(body__isnull=True) & ~models.Q(blob_key=""),
                name="content_body_in_one_place",
            )
        ]

    def __str__(self) -> str:
        return f"{self.size} octets"


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


class Message(models.Model):
    """One message in one folder. The id is never used again, so it serves as UID."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="messages"
    )
    folder = models.ForeignKey(
        Folder, on_delete=models.CASCADE, related_name="messages"
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="messages"
    )
    envelope_sender = models.CharField(
        max_length=254, blank=True, help_text="becomes Return-Path; empty when null"
    )
    received_at = models.DateTimeField(default=timezone.now)
    from_name = models.CharField(max_length=200, blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    to_summary = models.CharField(max_length=300, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    message_id = models.CharField(max_length=300, blank=True, db_index=True)
    size = models.PositiveBigIntegerField(help_text="octets, header and body")
    has_attachments = models.BooleanField(default=False)
    is_read = models.BooleanField(default=False)
    is_flagged = models.BooleanField(default=False)
    is_answered = models.BooleanField(default=False)
    is_draft = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["folder", "-id"], name="message_by_folder")]

    def __str__(self) -> str:
        return self.subject or "(no subject)"
