"""The table of those for whose sake no blob is deleted."""

from __future__ import annotations

from django.db import models


class DeletionPause(models.Model):
    """A lease: no blob is deleted until then, because a backup is copying blobs.

    It is renewed before it expires; see `deletion_pause`.
    """

    holder = models.CharField(max_length=120, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.holder
