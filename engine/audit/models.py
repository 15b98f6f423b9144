from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """One thing that somebody did.

    No foreign keys, so that nothing recorded can be blocked or lost. Each entry
    carries the digest of the one before it: a change or a gap shows.
    """

    at = models.DateTimeField(db_index=True)
    event = models.CharField(max_length=80, db_index=True)
    subject_kind = models.CharField(max_length=80)
    subject_key = models.CharField(max_length=80)
    subject_name = models.CharField(max_length=320)
    organisation_key = models.CharField(max_length=80, blank=True, db_index=True)
    by_key = models.CharField(max_length=80, blank=True)
    by_name = models.CharField(max_length=320)
    detail = models.JSONField(default=dict)
    previous_digest = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "entries"
        indexes = [models.Index(fields=["subject_kind", "subject_key"])]

    def __str__(self) -> str:
        return f"{self.event} {self.subject_name}"


class ChainEnd(models.Model):
    """Where the chain ends: one row, locked by whoever appends.

    It also shows when the last entries were taken away.
    """

    length = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"{self.length} entries"
