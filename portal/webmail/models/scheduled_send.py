"""Messages sent from webmail, with the moment at which they leave."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now

from engine.database import clock
from engine.registry.models import Person
from engine.storage.models import Message

# A message that leaves later than the longest time for undoing was scheduled.
UNDOABLE = timedelta(seconds=60)


class ScheduledSendQuerySet(models.QuerySet["ScheduledSend"]):
    """Messages sent from webmail."""

    def waiting(self) -> ScheduledSendQuerySet:
        """Those that have not left, so that they can be undone."""
        return self.filter(leaves_at__gt=Now())

    def leaving_of(self, message: Message) -> datetime | None:
        """Returns when a message that has not left leaves; None for other messages."""
        rows = self.waiting().filter(message=message)
        return rows.values_list("leaves_at", flat=True).first()

    def later(self) -> ScheduledSendQuerySet:
        """Those whose author chose when they leave, and that have not left."""
        return self.filter(leaves_at__gt=clock.now() + UNDOABLE)


class ScheduledSend(models.Model):
    """Links the copy in Sent with the queue's reference and the time it leaves."""

    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="scheduled_send"
    )
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="scheduled_sends"
    )
    reference = models.CharField(max_length=32)
    leaves_at = models.DateTimeField()

    objects = ScheduledSendQuerySet.as_manager()

    class Meta:
        db_table = "webmail_departure"
        ordering = ["leaves_at", "id"]
        indexes = [
            models.Index(fields=["person", "leaves_at"], name="departure_waiting")
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_later(self) -> bool:
        """Whether its author chose when it leaves."""
        return self.seconds_left > UNDOABLE.total_seconds()

    @property
    def seconds_left(self) -> int:
        """Whole seconds in which it can be undone; 0 once it leaves."""
        return max(0, int(self.leaves_at.timestamp() - clock.estimated_timestamp()))
