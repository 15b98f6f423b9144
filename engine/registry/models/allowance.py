from __future__ import annotations

from django.db import models

from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet


class SenderKind(models.TextChoices):
    """Kinds of sender that have a sending rate, or an allowance."""

    PERSON = "person", "Person"
    CONNECTION = "connection", "Connection"
    KEY = "key", "API key"
    LIST = "list", "Distribution list"
    ORGANISATION = "organisation", "Organisation"


class Allowance(models.Model):
    """Lets a sender send more than usual: `factor` times each of the usual rates.

    An organisation's allowance counts for each of its people, connections, keys and
    lists. `subject_id` is the sender's id among those of its kind; no foreign key, since
    the kinds are different tables.
    """

    kind = models.CharField(max_length=12, choices=SenderKind.choices)
    subject_id = models.PositiveBigIntegerField()
    factor = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=200)
    until = models.DateTimeField(null=True, blank=True)

    objects = LoggedQuerySet["Allowance"].as_manager()
    logged = Logged.of(ChangeKind.ALLOWANCE, "kind", "subject_id", "factor", "until")

    class Meta:
        ordering = ["kind", "subject_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id"], name="allowance_one_for_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject_id}: {self.factor} times"
