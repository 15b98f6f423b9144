"""Welcome letters and the state of their files."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from engine.database import clock
from engine.registry.models import ConnectionCredential, Organisation, Person
from onboarding.models.application import Application

# The file holds a secret: it is deleted the day after the first download, and after 30
# days in any case.
KEPT_AFTER_DOWNLOAD = timedelta(days=1)
KEPT_UNFETCHED = timedelta(days=30)


class LetterQuerySet(models.QuerySet["Letter"]):
    """Sets of welcome letters by the state of their file."""

    def unwritten(self) -> LetterQuerySet:
        """Returns letters whose file does not exist yet."""
        return self.filter(file_name=None, purged_at=None)

    def to_purge(self) -> LetterQuerySet:
        """Returns letters whose file was downloaded, or waited too long for it."""
        now = timezone.now()
        is_fetched = models.Q(downloaded_at__lt=now - KEPT_AFTER_DOWNLOAD)
        is_old = models.Q(created_at__lt=now - KEPT_UNFETCHED)
        return self.filter(is_fetched | is_old, purged_at=None).exclude(file_name=None)


class Letter(models.Model):
    """A welcome letter, rendered once and kept as a file for a limited time.

    The file holds the only copy of the connection's secret: the registry keeps a digest,
    so the same letter cannot be rendered again. A replacement letter is a new row with a
    new credential.
    """

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="letters"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="letters"
    )
    credential = models.OneToOneField(
        ConnectionCredential,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    file_name = models.CharField(max_length=80, unique=True, null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    downloaded_at = models.DateTimeField("first fetched", null=True, blank=True)
    downloaded_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    downloaded_from = models.GenericIPAddressField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Welcome letter of {self.organisation}"

    @property
    def is_readable(self) -> bool:
        """True while its file exists."""
        return self.file_name is not None and self.purged_at is None
