"""Exports of mailboxes."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.utils import timezone

from engine.registry.models import Mailbox, Person
from engine.storage.models.folder import Folder


class ExportStatus(models.TextChoices):
    """The state of an export."""

    WAITING = "waiting", "Waiting"
    WRITING = "writing", "Being written"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    GONE = "gone", "Removed"


EXPORT_TRANSITIONS: dict[ExportStatus, set[ExportStatus]] = {
    ExportStatus.WAITING: {ExportStatus.WRITING},
    ExportStatus.WRITING: {
        ExportStatus.WRITING,
        ExportStatus.READY,
        ExportStatus.FAILED,
    },
    ExportStatus.READY: {ExportStatus.GONE},
    ExportStatus.FAILED: set(),
    ExportStatus.GONE: set(),
}


class Export(models.Model):
    """A copy of a mailbox, or of one of its folders, for its holder to take away."""

    # In the address of the download; in earlier versions also the name of the file.
    token = models.UUIDField(default=uuid4, unique=True, editable=False)
    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="exports"
    )
    folder = models.ForeignKey(Folder, null=True, on_delete=models.SET_NULL)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    status = models.CharField(
        max_length=10, choices=ExportStatus.choices, default=ExportStatus.WAITING
    )
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(
        default=timezone.now, help_text="when it last went on"
    )
    finished_at = models.DateTimeField(null=True)
    # A default of the database: the version before, which inserts without it, may be
    # running on another host.
    blob_key = models.CharField(max_length=80, blank=True, default="", db_default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox"],
                condition=models.Q(status__in=["waiting", "writing"]),
                name="export_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"export of {self.mailbox}"
