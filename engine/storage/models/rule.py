"""Mail rules."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox
from engine.storage.models.folder import Folder


class Rule(models.Model):
    """What to do with an arriving message that meets every condition given.

    An empty condition is always met. Rules are tried in order; every one that matches
    applies, until one that stops.
    """

    MAX_RULES = 50  # of one mailbox: every delivery to it tries all of them

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    from_contains = models.CharField(max_length=200, blank=True)
    to_contains = models.CharField(max_length=200, blank=True)
    subject_contains = models.CharField(max_length=200, blank=True)
    has_attachments = models.BooleanField(default=False)
    larger_than = models.PositiveBigIntegerField(null=True, help_text="octets")
    folder = models.ForeignKey(
        Folder, null=True, on_delete=models.CASCADE, related_name="rules"
    )
    marks_read = models.BooleanField(default=False)
    flags = models.BooleanField(default=False)
    forward_to = models.CharField(max_length=254, blank=True)
    stops = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name
