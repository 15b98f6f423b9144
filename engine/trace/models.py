"""The trace's tables: events, and how far intermediate events are purged."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of events of a message, or of one of its recipients."""

    RECEIVED = "received", "Received"
    REFUSED = "refused", "Refused"
    QUARANTINED = "quarantined", "Quarantined"
    DELIVERED = "delivered", "Delivered"
    RELAYED = "relayed", "Handed to the next server"
    EXPANDED = "expanded", "Sent on to a distribution list"
    DEFERRED = "deferred", "Will be tried again"
    FAILED = "failed", "Could not be delivered"
    HELD = "held", "Held"
    RELEASED = "released", "Released"
    DROPPED = "dropped", "Dropped"
    RECALLED = "recalled", "Recalled by its sender"
    WITHDRAWN = "withdrawn", "Withdrawn from the mailbox"
    PUT_BACK = "put_back", "Put back into the mailbox"
    NOT_RECALLED = "not_recalled", "Could not be recalled"
    DOWNLOADED = "downloaded", "A file sent as a link was downloaded"
    LINK_REFUSED = "link_refused", "A file sent as a link was refused"
    LINK_ENDED = "link_ended", "A file sent as a link has ended"


# What happens to the files of a message that were sent as links: nothing of it changes what
# became of the message.
OF_LINKS = frozenset(
    {EventKind.DOWNLOADED, EventKind.LINK_REFUSED, EventKind.LINK_ENDED}
)


class Thinned(models.Model):
    """The last event that the purge of intermediate events has looked at. One row."""

    ONLY = 1

    at = models.DateTimeField(default=datetime(1970, 1, 1, tzinfo=UTC))
    event_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"up to {self.at}"


class StrangerCount(models.Model):
    """How many commands of one unproved source were refused in one hour."""

    source = models.CharField(max_length=45, help_text="an address; IPv6: its /64")
    hour = models.DateTimeField()
    refusals = models.PositiveBigIntegerField(default=0)
    last_reply = models.CharField(max_length=520)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "source"], name="stranger_count_one_an_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.refusals} from {self.source}"


class Event(models.Model):
    """One event. Without foreign keys, because it outlives what it refers to."""

    reference = models.CharField(
        max_length=32, db_index=True, help_text="of the message; its queue id"
    )
    recipient = models.CharField(max_length=254, blank=True, db_index=True)
    kind = models.CharField(max_length=12, choices=EventKind.choices)
    at = models.DateTimeField(db_index=True)
    detail = models.JSONField(default=dict)
    refused_for_id = models.BigIntegerField(
        null=True, help_text="the organisation that was refused; empty for other kinds"
    )

    class Meta:
        ordering = ["id"]
        # Partial: nearly all events are of the other kinds, and a page of a rare kind
        # would read them all.
        indexes = [
            models.Index(
                fields=["kind", "-id"],
                condition=models.Q(
                    kind__in=[
                        "refused",
                        "quarantined",
                        "failed",
                        "held",
                        "released",
                        "dropped",
                    ]
                ),
                name="event_of_rare_kind",
            ),
            models.Index(
                fields=["kind", "-id"],
                condition=models.Q(
                    kind__in=["recalled", "withdrawn", "put_back", "not_recalled"]
                ),
                name="event_after_delivery",
            ),
            models.Index(
                fields=["kind", "-id"],
                condition=models.Q(
                    kind__in=["downloaded", "link_refused", "link_ended"]
                ),
                name="event_of_link",
            ),
            # Pages of one organisation's refusals; other events take no room in it.
            models.Index(
                fields=["refused_for_id", "id"],
                condition=models.Q(refused_for_id__isnull=False),
                name="event_of_refused",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.recipient}"
