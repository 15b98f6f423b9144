"""Attachments of drafts."""

from __future__ import annotations

from uuid import UUID

from django.db import models

from engine.antivirus.verdict import VerdictState
from engine.registry.models import Mailbox
from engine.storage.models import Content


class FileState(models.TextChoices):
    """The scanner's outcome when the file was added. Infected files are never stored."""

    CLEAN = VerdictState.CLEAN.value, "No virus found"
    ENCRYPTED = VerdictState.ENCRYPTED.value, "Cannot be scanned for viruses"
    UNSCANNED = "unscanned", "Will be scanned before it is sent"


class DraftFileQuerySet(models.QuerySet["DraftFile"]):
    """Attachments of drafts."""

    def of(self, mailbox: Mailbox, token: UUID) -> DraftFileQuerySet:
        """The attachments of one draft in the order in which they were added."""
        return self.filter(mailbox=mailbox, token=token).order_by("pk")


class DraftFile(models.Model):
    """An attachment of a draft, stored apart so that saving the text stays cheap."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="draft_files"
    )
    token = models.UUIDField(help_text="of the draft")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127, blank=True)
    content = models.OneToOneField(Content, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=FileState.choices)
    picture_id = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="the Content-ID of a picture in the text",
    )
    added_at = models.DateTimeField(auto_now_add=True)

    objects = DraftFileQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["mailbox", "token"], name="file_of_draft")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        """Whether the text shows it, so that it is no attachment."""
        return bool(self.picture_id)

    @property
    def content_holder(self) -> int:
        """The id of the organisation whose key reads the content."""
        return self.mailbox.organisation_id

    @property
    def size(self) -> int:
        """Size in octets."""
        return self.content.size
