from __future__ import annotations

from django.db import models

from portal.helpdesk.status import Category


class CannedReply(models.Model):
    """An answer that is given often, with places for what differs."""

    title = models.CharField(max_length=100, unique=True)
    category = models.CharField(
        max_length=12, choices=Category.choices, default=Category.OTHER
    )
    text = models.TextField(max_length=10_000)

    class Meta:
        ordering = ["title"]
        verbose_name_plural = "canned replies"

    def __str__(self) -> str:
        return self.title
