from __future__ import annotations

from django.db import models


class SenderKind(models.TextChoices):
    """What a sending rate is counted for, or an allowance given to."""

    PERSON = "person", "Person"
    CONNECTION = "connection", "Connection"
    KEY = "key", "API key"
    LIST = "list", "Distribution list"
    ORGANISATION = "organisation", "Organisation"


class Allowance(models.Model):
    """A sender that may send more than usual: so many times each of the usual rates.

    An organisation's counts for each of its people, connections, keys and lists.
    """

    kind = models.CharField(max_length=12, choices=SenderKind.choices)
    subject_id = models.PositiveBigIntegerField()
    factor = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=200)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["kind", "subject_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id"], name="allowance_one_for_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject_id}: {self.factor} times"
