from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from engine import clock
from engine.registry.models import Person
from engine.storage.models import Message


class DepartureQuerySet(models.QuerySet["Departure"]):
    def waiting(self) -> DepartureQuerySet:
        """Those that may still be taken back."""
        return self.filter(leaves_at__gt=Now())


class Departure(models.Model):
    """How the copy in Sent is called in the queue, and when it leaves or left."""

    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="departure"
    )
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="departures"
    )
    reference = models.CharField(max_length=32)
    leaves_at = models.DateTimeField()

    objects = DepartureQuerySet.as_manager()

    class Meta:
        ordering = ["leaves_at", "id"]
        indexes = [
            models.Index(fields=["person", "leaves_at"], name="departure_waiting")
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def seconds_left(self) -> int:
        """Whole seconds in which it may be taken back; 0 once it leaves."""
        return max(0, int(self.leaves_at.timestamp() - clock.held()))
