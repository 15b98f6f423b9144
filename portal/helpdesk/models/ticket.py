"""Tickets, with their service-level clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from engine.registry.models import Organisation, Person
from portal.helpdesk import sla
from portal.helpdesk.sla import TARGETS, Clock, Target
from portal.helpdesk.status import Category, Priority, Source, Status
from portal.ui import helpdesk_hours

_NUMBER = re.compile(r"(?:PT-)?0*([0-9]{1,12})", re.IGNORECASE)
# Words of a search that count.
MAX_WORDS = 8

OVER = (Status.SOLVED, Status.CLOSED)


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Named sets of tickets."""

    def of(self, person: Person) -> TicketQuerySet:
        """Restricts to the tickets that the person opened."""
        return self.filter(requester=person)

    def unfinished(self) -> TicketQuerySet:
        """Restricts to tickets that are neither solved nor closed."""
        return self.exclude(status__in=OVER)

    def unassigned(self) -> TicketQuerySet:
        """Restricts to unfinished tickets without an owner."""
        return self.unfinished().filter(owner=None)

    def breaching(self, now: datetime) -> TicketQuerySet:
        """Restricts to tickets that are late, or will be within a working hour."""
        return self.filter(due_at__lte=sla.warning_until(now))

    def matching(self, text: str) -> TicketQuerySet:
        """Restricts to tickets with this number, or with all of these words.

        A word may be in the question's line, or in the requester's name, address or
        organisation. People and organisations are found however their names are written.
        """
        number = _NUMBER.fullmatch(text)
        if number:
            return self.filter(pk=int(number[1]))
        rows = self
        for word in text.split()[:MAX_WORDS]:
            people = Person.objects.filter(Person.found_by(word)).values("pk")
            members = Organisation.objects.filter(Organisation.found_by(word))
            rows = rows.filter(
                models.Q(subject__icontains=word)
                | models.Q(requester_name__icontains=word)
                | models.Q(requester_address__icontains=word)
                | models.Q(requester__in=people)
                | models.Q(organisation__in=members.values("pk"))
            )
        return rows


class Ticket(models.Model):
    """A question to the helpdesk, with its status, owner and targets."""

    subject = models.CharField(max_length=200)
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.NEW)
    source = models.CharField(max_length=10, choices=Source.choices)
    category = models.CharField(
        max_length=12, choices=Category.choices, default=Category.OTHER
    )
    priority = models.CharField(
        max_length=8, choices=Priority.choices, default=Priority.NORMAL
    )
    owner = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    requester = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tickets",
        help_text="where the address is proved to be a member's",
    )
    requester_name = models.CharField(max_length=150)
    requester_address = models.CharField(max_length=254, blank=True, db_index=True)
    requester_phone = models.CharField(max_length=40, blank=True)
    organisation = models.ForeignKey(
        Organisation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    is_confirmed = models.BooleanField(
        default=True, help_text="the address is known to be the requester's"
    )

    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(default=timezone.now)
    first_answered_at = models.DateTimeField(null=True)
    solved_at = models.DateTimeField(null=True, db_index=True)
    first_answer_minutes = models.PositiveIntegerField(
        null=True, help_text="of working time"
    )
    solve_minutes = models.PositiveIntegerField(
        null=True, help_text="of working time, without that spent waiting"
    )
    first_answer_due_at = models.DateTimeField()
    solve_due_at = models.DateTimeField()
    due_at = models.DateTimeField(
        null=True, help_text="the next target; null while nothing is owed"
    )
    stopped_at = models.DateTimeField(null=True, help_text="the clock stands since")
    stopped_minutes = models.PositiveIntegerField(default=0)

    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged"
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], name="ticket_due"),
            models.Index(fields=["status", "-id"], name="ticket_by_status"),
            models.Index(fields=["owner", "status"], name="ticket_by_owner"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True)
                | models.Q(status=Status.CLOSED),
                name="ticket_merged_is_closed",
            )
        ]

    def __str__(self) -> str:
        # Without the subject: this goes into the audit trail, which is never purged.
        return self.number

    @property
    def number(self) -> str:
        """The public number, such as PT-000123."""
        return f"PT-{self.pk:06d}"

    @property
    def is_over(self) -> bool:
        """Whether the ticket is solved or closed."""
        return Status(self.status).is_over

    @property
    def target(self) -> Target:
        """The service level of the ticket's priority."""
        return TARGETS[Priority(self.priority)]

    @property
    def clock(self) -> Clock:
        """The state of the clock against the next target."""
        return sla.state(self.due_at, timezone.now())

    def start_clock(self) -> None:
        """Computes both targets from the priority; time with a stopped clock does not count."""
        stopped = timedelta(minutes=self.stopped_minutes)
        start = self.created_at
        self.first_answer_due_at = helpdesk_hours.after(start, self.target.first_answer)
        self.solve_due_at = helpdesk_hours.after(start, self.target.solve + stopped)
        self.due_at = self._next_due()

    def _next_due(self) -> datetime | None:
        if self.stopped_at is not None:
            return None
        if self.first_answered_at is None:
            return min(self.first_answer_due_at, self.solve_due_at)
        return self.solve_due_at

    def set_status(self, status: Status, now: datetime) -> None:
        """Sets a status that policies have checked, and stops or starts the clock.

        `now` is the moment of the change: for mail, that of its arrival.
        """
        self.status = status
        if status.stops_the_clock and self.stopped_at is None:
            self.stopped_at = now
        elif not status.stops_the_clock and self.stopped_at is not None:
            self.stopped_minutes += sla.minutes_between(self.stopped_at, now)
            self.stopped_at = None
        if status == Status.SOLVED or (status == Status.CLOSED and not self.solved_at):
            self.solved_at = now
            open_minutes = sla.minutes_between(self.created_at, now)
            self.solve_minutes = max(open_minutes - self.stopped_minutes, 0)
        elif not status.is_over:
            self.solved_at = self.solve_minutes = None
        self.start_clock()

    def record_first_answer(self, now: datetime) -> None:
        """Records the time of the first answer; later calls change nothing."""
        if self.first_answered_at is None:
            self.first_answered_at = now
            self.first_answer_minutes = sla.minutes_between(self.created_at, now)

    def adopt_first_answer(self, other: Ticket) -> None:
        """Counts the first answer to a ticket merged into this one as an answer to this one."""
        if other.first_answered_at is not None:
            self.record_first_answer(max(other.first_answered_at, self.created_at))
            self.start_clock()
