"""Requests for emergency access, who approved them, and what was opened."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from engine.registry.models import Mailbox, Organisation, Person, RoleName
from engine.registry.permissions.own_administrators import givers

# A request that was not approved in this time lapses.
REQUEST_LIFETIME = timedelta(days=7)
MOST_HOURS = 72


class Status(models.TextChoices):
    """What has become of a request."""

    WAITING = "waiting", "Waiting for approval"
    OPEN = "open", "Open"
    ENDED = "ended", "Ended"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    LAPSED = "lapsed", "Lapsed"


TRANSITIONS = {
    Status.WAITING: {Status.OPEN, Status.REFUSED, Status.WITHDRAWN, Status.LAPSED},
    Status.OPEN: {Status.ENDED},
}


class Capacity(models.TextChoices):
    """As what a person asks, which decides who has to approve."""

    ADMINISTRATOR = "administrator", "Administrator of the organisation"
    OPERATOR = "operator", "Operator"


class EmergencyAccess(models.Model):
    """A request of one person to read one other person's mailbox, and its opening.

    Names are kept beside the keys: the record outlives the people and the mailbox.
    `told_at` is when the holder was notified; until then nothing shows it to them.
    """

    mailbox = models.ForeignKey(
        Mailbox, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    address = models.CharField(max_length=254)
    holder = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    holder_name = models.CharField(max_length=150)
    organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    capacity = models.CharField(max_length=15, choices=Capacity.choices)
    requested_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_by_name = models.CharField(max_length=150)
    reason = models.TextField(max_length=1000)
    hours = models.PositiveSmallIntegerField()
    requested_at = models.DateTimeField(default=timezone.now)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.WAITING
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by_name = models.CharField(
        max_length=150, blank=True, help_text="empty where time ran out"
    )
    closing_reason = models.CharField(max_length=200, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "emergency accesses"
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(status__in=["waiting", "open"]),
                name="emergency_access_unfinished",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "requested_by"],
                condition=models.Q(status__in=["waiting", "open"]),
                name="emergency_access_asked_once",
            )
        ]

    def __str__(self) -> str:
        return f"Emergency access to {self.address}"

    @property
    def is_waiting(self) -> bool:
        """True while it can be approved."""
        return (
            self.status == Status.WAITING
            and self.requested_at > timezone.now() - REQUEST_LIFETIME
        )

    @property
    def is_open(self) -> bool:
        """True while the mailbox may be read."""
        return (
            self.status == Status.OPEN
            and self.ends_at is not None
            and self.ends_at > timezone.now()
        )

    @property
    def lapses_at(self) -> datetime:
        """When a request that waits can no longer be approved."""
        return self.requested_at + REQUEST_LIFETIME

    @property
    def occasion(self) -> str:
        """What names this access where openings of a mailbox are recorded."""
        return f"emergency access {self.pk}"

    @cached_property
    def role_givers(self) -> frozenset[int]:
        """The ids of those who gave the asker the role, read from the audit trail once."""
        if self.requested_by is None:
            return frozenset()
        if self.capacity == Capacity.OPERATOR:
            return givers(self.requested_by, RoleName.OPERATOR)
        return givers(self.requested_by, RoleName.ADMINISTRATOR, self.organisation)

    @property
    def is_withheld(self) -> bool:
        """True from the opening until the holder is notified."""
        return self.opened_at is not None and self.told_at is None


class Approval(models.Model):
    """One approval; `why_untold` is the reason to notify the holder only at the end."""

    access = models.ForeignKey(
        EmergencyAccess, on_delete=models.CASCADE, related_name="approvals"
    )
    person = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)
    why_untold = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["access", "person"], name="emergency_access_approved_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} approves {self.access_id}"


class ReadingKind(models.TextChoices):
    """What a reader opens."""

    FOLDER = "folder", "List of a folder"
    SEARCH = "search", "Search"
    MESSAGE = "message", "Message"
    ATTACHMENT = "attachment", "Attachment"


class Reading(models.Model):
    """One thing that was opened under emergency access.

    `what` is the folder, the words searched for, or the name of the file. The fields of a
    message are copied, because the holder may delete it.
    """

    access = models.ForeignKey(
        EmergencyAccess, on_delete=models.CASCADE, related_name="readings"
    )
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=10, choices=ReadingKind.choices)
    what = models.CharField(max_length=200, blank=True)
    message_key = models.BigIntegerField(null=True, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    sender = models.CharField(max_length=254, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.at}"
