"""The audit entries, and the end of their chain."""

from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index


class Entry(FoundByWords):
    """One recorded act.

    No foreign keys, so that no deletion can be blocked by an entry or take one away.
    Each entry carries the digest of the one before it, so a change or a gap shows. Its
    words are not part of that: they follow from the rest.
    """

    FOUND_BY = ("event", "subject_name", "by_name")

    at = models.DateTimeField(db_index=True)
    event = models.CharField(max_length=80, db_index=True)
    subject_kind = models.CharField(max_length=80)
    subject_key = models.CharField(max_length=80)
    subject_name = models.CharField(max_length=320)
    organisation_key = models.CharField(max_length=80, blank=True, db_index=True)
    by_key = models.CharField(max_length=80, blank=True)
    by_name = models.CharField(max_length=320)
    detail = models.JSONField(default=dict)
    # Unique, so that two entries can never follow the same one: a fork of the chain.
    previous_digest = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["subject_kind", "subject_key"]),
            models.Index(fields=["by_key", "-id"], name="entry_by_actor"),
            unwritten_index("entry_no_words"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject_name}"


class ChainEnd(models.Model):
    """The length and last digest of the chain: one row, locked by each writer.

    Digests alone cannot show that the last entries were removed; the length can.
    """

    length = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"{self.length} entries"
