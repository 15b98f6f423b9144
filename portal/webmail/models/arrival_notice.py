"""Notices that mail has arrived: what a person chose, and how far they were notified."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models

from engine.registry.models import Mailbox, Organisation, Person


class Period(models.TextChoices):
    """How often a person is notified of new mail at most."""

    NEVER = "never", "Never"
    AT_ONCE = "at_once", "As soon as mail arrives"
    HOURLY = "hourly", "Once an hour"
    DAILY = "daily", "Once a day"


# The least time between two notices. Mail that comes within five minutes shares one, so
# that nobody can have an everyday address flooded.
SPACING = {
    Period.AT_ONCE: timedelta(minutes=5),
    Period.HOURLY: timedelta(hours=1),
    Period.DAILY: timedelta(days=1),
}


class ArrivalNotice(models.Model):
    """A person's choice of notices, and the last message they were notified of.

    `arrived_to` and `announced_to` are ids of messages: a notice is due while the first is
    higher. `proved_address` is the everyday address at which the person has opened our
    link; nothing is sent to another.
    """

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, related_name="arrival_notice"
    )
    period = models.CharField(
        max_length=10, choices=Period.choices, default=Period.NEVER
    )
    proved_address = models.CharField(max_length=254, blank=True)
    proved_at = models.DateTimeField(null=True)
    link_sent_at = models.DateTimeField(null=True)
    arrived_to = models.BigIntegerField(default=0)
    announced_to = models.BigIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["sent_at"],
                condition=models.Q(arrived_to__gt=models.F("announced_to")),
                name="arrival_notice_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_period_display()}"

    @property
    def is_proved(self) -> bool:
        """Whether the person's present everyday address is the one that was proved."""
        address = self.person.everyday_address
        return bool(address) and self.proved_address == address


class NoticedMailbox(models.Model):
    """A mailbox of whose mail the person is notified, where its id is above `since`."""

    notice = models.ForeignKey(
        ArrivalNotice, on_delete=models.CASCADE, related_name="noticed"
    )
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    since = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "mailbox"], name="noticed_mailbox_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mailbox} for {self.notice_id}"


class UnopenedDigest(models.Model):
    """The Monday of the last week whose digest of group mailboxes was sent, or not needed."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    week = models.DateField(default=date(1970, 1, 1))

    def __str__(self) -> str:
        return f"{self.organisation}: {self.week}"


class ArrivalCursor(models.Model):
    """The last message that the search for new mail has passed. One row."""

    ONLY = 1

    last_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"up to {self.last_id}"
