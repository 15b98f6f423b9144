from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet
from engine.registry.models.organisation import Organisation


class StopKind(models.TextChoices):
    """Kinds of sender whose mail an operator can stop."""

    PERSON = "person", "Person"
    ADDRESS = "address", "Address"
    CONNECTION = "connection", "Connection"
    ORGANISATION = "organisation", "Organisation"


class SendingStop(models.Model):
    """Stops what one sender sends, until the row is deleted. Receiving goes on.

    `subject_id` is the id of the person, connection or organisation; 0 for an address.
    `address` is a key in community form: the address itself, or the person's own, which
    their organisation's server may send from. Logged as a change of the organisation,
    because a process of an earlier version follows no other kind.
    """

    kind = models.CharField(max_length=12, choices=StopKind.choices)
    subject_id = models.PositiveBigIntegerField(default=0)
    address = models.CharField(max_length=254, blank=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="sending_stops"
    )
    name = models.CharField(max_length=254, help_text="as screens and notices name it")
    reason = models.CharField(max_length=200)
    placed_by = models.CharField(max_length=254)
    placed_at = models.DateTimeField(default=timezone.now)

    objects = LoggedQuerySet["SendingStop"].as_manager()
    logged = Logged.of(
        ChangeKind.ORGANISATION,
        "kind",
        "subject_id",
        "address",
        "organisation",
        key="organisation_id",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id", "address"], name="sending_stop_one_each"
            )
        ]

    def __str__(self) -> str:
        return self.name
