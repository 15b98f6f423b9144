from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

# Without a beat for so long, a process has ended or hangs.
MISSING = timedelta(seconds=20)
# An alarm is over when its cause was gone for so long; one that came back before, and may
# again, for as long as it would be taken for the same one.
CALM = timedelta(seconds=10)
FLAPPING = timedelta(minutes=10)

DETAIL_LENGTH = 500


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def alive(self, now: datetime) -> HeartbeatQuerySet:
        return self.filter(stopped_at=None, at__gt=now - MISSING)

    def missing(self, now: datetime) -> HeartbeatQuerySet:
        """Those that said no goodbye, and nothing else for too long."""
        return self.filter(stopped_at=None, at__lte=now - MISSING)


class Heartbeat(models.Model):
    """One process of the service: that it lives, and what it sees of its host.

    Every time is by the database's clock, so that hosts can be compared.
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
        return self.stopped_at is None and self.at > now - MISSING


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def open(self) -> AlarmQuerySet:
        return self.filter(ended_at=None)

    def lately(self, now: datetime) -> AlarmQuerySet:
        """Open, or ended so lately that its cause coming back would be the same alarm, or
        ended and not told yet."""
        return self.filter(
            Q(ended_at=None) | Q(ended_at__gt=now - FLAPPING) | Q(ended_told_at=None)
        )


class Alarm(models.Model):
    """Something that is wrong and that an operator must know, until it is over."""

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
        return self.rule, self.subject

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    def is_past(self, now: datetime) -> bool:
        """Whether it ended so long ago that its cause coming back is another alarm."""
        return self.ended_at is not None and now - self.ended_at >= FLAPPING

    @property
    def is_to_tell(self) -> bool:
        """Whether the operators have not heard of it, or not that it is over."""
        if self.told_at is None:
            return True
        return self.ended_at is not None and self.ended_told_at is None

    def see(self, detail: str, now: datetime) -> None:
        """Its cause is there; where it had ended, it has come back."""
        if self.ended_at is not None:
            self.ended_at = self.told_at = self.ended_told_at = None
            self.returns += 1
        self.seen_at, self.calm_since = now, None
        self.detail = detail[:DETAIL_LENGTH]

    def miss(self, now: datetime) -> None:
        """Its cause is not there. It is over when that was so for long enough."""
        self.calm_since = self.calm_since or now
        if now - self.calm_since >= (FLAPPING if self.returns else CALM):
            self.ended_at = now

    def tell(self, now: datetime) -> None:
        """Note that the operators have heard how it stands."""
        self.told_at = self.told_at or now
        if self.ended_at is not None:
            self.ended_told_at = now

    def to_json(self) -> dict[str, Any]:
        """For the file that stands in for the database while that is away."""
        return {
            field.attname: value.isoformat() if isinstance(value, datetime) else value
            for field in self._meta.concrete_fields
            if field.name != "id"
            for value in [getattr(self, field.attname)]
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Alarm:
        """Read what `to_json` made. Raises ValueError, KeyError or TypeError."""
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
    """What one process at a time does for all: who, and until when without a word."""

    name = models.CharField(max_length=20, primary_key=True)
    holder = models.CharField(max_length=120)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class Sample(models.Model):
    """How the service stood in one minute, for the plots of Health."""

    at = models.DateTimeField(unique=True, help_text="the whole minute")
    values = models.JSONField(default=dict)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return self.at.isoformat(timespec="minutes")


class Backup(models.Model):
    """A backup that the operator's script says is done."""

    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.at.isoformat(timespec="minutes")
