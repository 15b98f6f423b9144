"""Service notices on the public pages."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone


class NoticeKind(models.TextChoices):
    """The kind of a notice."""

    FAULT = "fault", "Something does not work"
    WORK = "work", "Planned work"
    NEWS = "news", "Worth knowing"


class ServiceNoticeQuerySet(models.QuerySet["ServiceNotice"]):
    """Notices by their time."""

    def shown(self, now: datetime) -> ServiceNoticeQuerySet:
        """Restricts to notices that have begun and not ended."""
        return self.unended(now).filter(begins_at__lte=now)

    def to_come(self, now: datetime) -> ServiceNoticeQuerySet:
        """Restricts to notices that begin later, the next first."""
        return self.unended(now).filter(begins_at__gt=now).order_by("begins_at")

    def unended(self, now: datetime) -> ServiceNoticeQuerySet:
        """Restricts to notices that have not ended."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=now))

    def ended(self, now: datetime) -> ServiceNoticeQuerySet:
        """Restricts to notices that have ended."""
        return self.filter(ends_at__lte=now)


class ServiceNotice(models.Model):
    """A notice shown to all visitors for a period, or until staff end it."""

    kind = models.CharField(max_length=10, choices=NoticeKind.choices)
    title = models.CharField(max_length=120)
    text = models.TextField(max_length=2000, blank=True)
    begins_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ServiceNoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-begins_at", "-id"]

    def __str__(self) -> str:
        return self.title

    @property
    def state(self) -> str:
        """The state in words: Shown, To come or Ended."""
        now = timezone.now()
        if self.ends_at is not None and self.ends_at <= now:
            return "Ended"
        return "To come" if self.begins_at > now else "Shown"
