"""The bytes of messages."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.utils import timezone


class ContentQuerySet(models.QuerySet["Content"]):
    """Sets of contents."""

    def in_blobs(self, keys: Collection[str]) -> ContentQuerySet:
        """Returns the contents whose bodies are in blobs with these keys."""
        # The second condition is that of the partial index. Neither SQLite nor, beyond a
        # hundred keys, PostgreSQL infers it from the first; without it both scan the table.
        return self.filter(blob_key__in=keys, blob_key__gt="")


class Content(models.Model):
    """The bytes of one message, stored once however many mailboxes hold it.

    The header, with the empty line at its end, is always in the row. The body is in the
    row when small, else in the blob store under `blob_key`. `format` says how the bytes
    are encoded, so that old rows stay readable: 1 is unencoded. In 2, header and body are
    each a stream (`engine.encryption.stream`) under the content's own key, which
    `ContentKey` has for each organisation that holds the message. `size` is always the
    readable message's.
    """

    PLAIN = 1
    ENCRYPTED = 2

    format = models.PositiveSmallIntegerField(default=PLAIN)
    size = models.PositiveBigIntegerField(help_text="octets, header and body")
    body_digest = models.CharField(
        max_length=64, help_text="SHA-256 of the body; keyed where encrypted"
    )
    header = models.BinaryField()
    body = models.BinaryField(null=True)
    blob_key = models.CharField(max_length=80, blank=True)
    has_attachments = models.BooleanField(
        null=True, help_text="decided on arrival; null where an earlier version did not"
    )
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

    @property
    def is_encrypted(self) -> bool:
        """Whether reading needs a key."""
        return self.format != Content.PLAIN

    def __str__(self) -> str:
        return f"{self.size} octets"
