"""Messages that search does not find by all of their words, and why."""

from __future__ import annotations

from django.db import models


class GapReason(models.TextChoices):
    """Why some words of a message are not in the index."""

    ENCRYPTED = "encrypted", "Encrypted"
    TOO_LONG = "too_long", "Too long"
    TOO_MANY_PARTS = "too_many_parts", "Too many parts"
    MISSING = "missing", "Text missing"
    FAULT = "fault", "Not readable"


class SearchGap(models.Model):
    """A message of which the index does not hold every word.

    Without foreign keys: only the index writes these rows, and erasing many messages does
    not first have to look for them.
    """

    message_id = models.BigIntegerField(primary_key=True)
    mailbox_id = models.BigIntegerField(db_index=True)
    reason = models.CharField(max_length=20, choices=GapReason.choices)

    def __str__(self) -> str:
        return f"{self.message_id}: {self.reason}"
