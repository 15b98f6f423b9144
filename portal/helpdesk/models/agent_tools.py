"""Tables for agents: who has a ticket open, and canned replies."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from engine.registry.models import Person
from portal.helpdesk.models.ticket import Ticket
from portal.helpdesk.status import Category

# An agent who looked longer ago has moved on.
RECENT = timedelta(minutes=10)
WRITES_FOR = timedelta(minutes=2)


class ViewingQuerySet(models.QuerySet["Viewing"]):
    """Current viewings of a ticket."""

    def others(self, ticket: Ticket, person: Person) -> ViewingQuerySet:
        """Returns the other agents who have the ticket open."""
        recent = self.filter(ticket=ticket, seen_at__gt=timezone.now() - RECENT)
        return recent.exclude(person=person).select_related("person")


class Viewing(models.Model):
    """An agent who has a ticket open. It warns others, so that two do not answer it."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="viewings"
    )
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(default=timezone.now)
    wrote_at = models.DateTimeField(null=True, help_text="typed something of a reply")

    objects = ViewingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "person"], name="viewing_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.ticket}"

    @property
    def is_writing(self) -> bool:
        """Whether the agent has typed part of a reply within the last two minutes."""
        return self.wrote_at is not None and self.wrote_at > timezone.now() - WRITES_FOR


class CannedReply(models.Model):
    """A reply that is used often, with variables for what differs."""

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
