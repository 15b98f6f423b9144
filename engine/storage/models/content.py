from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.utils import timezone


class ContentQuerySet(models.QuerySet["Content"]):
    def in_blobs(self, keys: Collection[str]) -> ContentQuerySet:
        """Those whose bodies are in blobs of these keys.

        The second condition is the index's own: neither SQLite nor, beyond a hundred
        keys, PostgreSQL infers it from the first, and without it both read the table.
        """
        return self.filter(blob_key__in=keys, blob_key__gt="")


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

    objects = ContentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["blob_key"],
                condition=models.Q(blob_key__gt=""),
                name="content_by_blob",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(body__isnull=False, blob_key="")
                | models.Q(body__isnull=True) & ~models.Q(blob_key=""),
                name="content_body_in_one_place",
            )
        ]

    def __str__(self) -> str:
        return f"{self.size} octets"
