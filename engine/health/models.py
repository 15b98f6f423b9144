"""Heartbeats, alarms, the leader's lease, minute samples and noted backups."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

# A process whose last heartbeat is older than this has ended or hangs.
MISSING = timedelta(seconds=20)
# An alarm ends once its cause has been gone for CALM. A cause that returns within FLAPPING
# reopens its alarm, which then ends only after FLAPPING, so that a problem that comes and
# goes sends few mails.
CALM = timedelta(seconds=10)
FLAPPING = timedelta(minutes=10)

DETAIL_LENGTH = 500


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    """Heartbeats by whether their process is alive."""

    def alive(self, now: datetime) -> HeartbeatQuerySet:
        """Returns the heartbeats of processes that are alive."""
        return self.filter(stopped_at=None, at__gt=now - MISSING)

    def missing(self, now: datetime) -> HeartbeatQuerySet:
        """Returns those of processes that ended or hang, without having stopped in order."""
        return self.filter(stopped_at=None, at__lte=now - MISSING)


class Heartbeat(models.Model):
    """One process of the service: when it was last alive, and what it observed.

    Times are by the database's clock, so that hosts can be compared.
    """

    kind = models.CharField(max_length=10, help_text="engine, web or worker")
    host = models.CharField(max_length=60)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    at = models.DateTimeField(db_index=True)
    stopped_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True, help_text="when its end was noticed")
    facts = models.JSONField(default=dict)

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "host", "pid"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"

    def is_alive(self, now: datetime) -> bool:
        """Whether the process has not stopped, and its last heartbeat is recent."""
        return self.stopped_at is None and self.at > now - MISSING


class AlarmQuerySet(models.QuerySet["Alarm"]):
    """Alarms by their state."""

    def open(self) -> AlarmQuerySet:
        """Returns the alarms that have not ended."""
        return self.filter(ended_at=None)

    def recent(self, now: datetime) -> AlarmQuerySet:
        """Returns the alarms that a round may change or notify operators of.

        They are open, or ended within FLAPPING, or the mail about their end is not sent.
        """
        return self.filter(
            Q(ended_at=None) | Q(ended_at__gt=now - FLAPPING) | Q(ended_told_at=None)
        )


class Alarm(models.Model):
    """Something that is wrong and that operators are notified of, until it ends."""

    rule = models.CharField(max_length=40)
    subject = models.CharField(
        max_length=120, blank=True, help_text="where: a host, a destination, …"
    )
    detail = models.CharField(max_length=DETAIL_LENGTH, blank=True)
    since = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="when it was last so")
    calm_since = models.DateTimeField(null=True, help_text="when its cause went")
    returns = models.PositiveSmallIntegerField(
        default=0, help_text="how often it came back soon after it was over"
    )
    told_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, db_index=True)
    ended_told_at = models.DateTimeField(null=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        ordering = ["-since", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"],
                condition=Q(ended_at=None),
                name="alarm_one_open_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject}".rstrip()

    @property
    def key(self) -> tuple[str, str]:
        """Rule and subject, of which one alarm at most is open."""
        return self.rule, self.subject

    @property
    def is_open(self) -> bool:
        """Whether the alarm has not ended."""
        return self.ended_at is None

    def is_past(self, now: datetime) -> bool:
        """Whether it ended so long ago that a cause that returns opens another alarm."""
        return self.ended_at is not None and now - self.ended_at >= FLAPPING

    @property
    def needs_notification(self) -> bool:
        """Whether operators were not notified of its start, or not of its end."""
        if self.told_at is None:
            return True
        return self.ended_at is not None and self.ended_told_at is None

    def observe(self, detail: str, now: datetime) -> None:
        """Records that its cause is present. An alarm that had ended is open again."""
        if self.ended_at is not None:
            self.ended_at = self.told_at = self.ended_told_at = None
            self.returns += 1
        self.seen_at, self.calm_since = now, None
        self.detail = detail[:DETAIL_LENGTH]

    def observe_absence(self, now: datetime) -> None:
        """Records that its cause is absent, and ends it after CALM or FLAPPING."""
        self.calm_since = self.calm_since or now
        if now - self.calm_since >= (FLAPPING if self.returns else CALM):
            self.ended_at = now

    def mark_notified(self, now: datetime) -> None:
        """Records that operators were notified of its present state."""
        self.told_at = self.told_at or now
        if self.ended_at is not None:
            self.ended_told_at = now

    def to_json(self) -> dict[str, Any]:
        """Returns its columns for the file that replaces the table during an outage."""
        return {
            field.attname: value.isoformat() if isinstance(value, datetime) else value
            for field in self._meta.concrete_fields
            if field.name != "id"
            for value in [getattr(self, field.attname)]
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Alarm:
        """Reads what `to_json` returned. Raises ValueError, KeyError or TypeError."""
        moments = {
            f.name for f in cls._meta.fields if isinstance(f, models.DateTimeField)
        }
        return cls(
            **{
                name: datetime.fromisoformat(value)
                if name in moments and value
                else value
                for name, value in document.items()
            }
        )


class Duty(models.Model):
    """A lease: which process does what only one may do, and until when.

    It is renewed before it expires; see `leader_lease`.
    """

    name = models.CharField(max_length=20, primary_key=True)
    holder = models.CharField(max_length=120)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class Sample(models.Model):
    """The state of the service in one minute, for the plots of the Health page."""

    at = models.DateTimeField(unique=True, help_text="the whole minute")
    values = models.JSONField(default=dict)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return self.at.isoformat(timespec="minutes")


class Backup(models.Model):
    """A backup that the operator's script reported as completed."""

    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.at.isoformat(timespec="minutes")
