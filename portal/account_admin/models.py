"""Resets of a person's second factor by someone else."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from engine.registry.models import Person

# A request that nobody agreed to within this time expires.
RESET_LIFETIME = timedelta(days=7)


class FactorResetQuerySet(models.QuerySet["FactorReset"]):
    """Resets by what can still happen to them."""

    def waiting(self) -> FactorResetQuerySet:
        """Requests that a second person may still agree to."""
        since = timezone.now() - RESET_LIFETIME
        return self.filter(settled_at=None, requested_at__gt=since)

    def answerable(self) -> FactorResetQuerySet:
        """Resets that the owner may still refuse: pending, or done recently."""
        since = timezone.now() - RESET_LIFETIME
        waiting = models.Q(settled_at=None, requested_at__gt=since)
        done = models.Q(done_at__gt=since, disowned_at=None)
        return self.filter(waiting | done).select_related("requested_by")


class FactorReset(models.Model):
    """A reset of a person's second factor by another person, requested or done.

    It waits until a second person agrees, unless an administrator did it alone. A settled
    row without `done_at` was refused. `disowned_at` is when the owner reported a reset that
    was done as not theirs.
    """

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="factor_resets"
    )
    requested_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=200)
    requested_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)
    disowned_at = models.DateTimeField(null=True, blank=True)

    objects = FactorResetQuerySet.as_manager()

    class Meta:
        # The table was made by the organisation pages' migrations, before this room was.
        app_label = "organisation"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(settled_at=None),
                name="factor_reset_waits_once",
            )
        ]

    def __str__(self) -> str:
        return f"Second factor of {self.person}"

    @property
    def is_waiting(self) -> bool:
        """True while a second person may agree."""
        return self.settled_at is None and _is_recent(self.requested_at)

    @property
    def is_refused(self) -> bool:
        """True where a request was settled without a reset."""
        return self.settled_at is not None and self.done_at is None

    @property
    def may_be_disowned(self) -> bool:
        """True while the owner may report a reset that was done as not theirs."""
        is_done = self.done_at is not None and self.disowned_at is None
        return is_done and _is_recent(self.done_at)


def _is_recent(at: datetime | None) -> bool:
    return at is not None and at > timezone.now() - RESET_LIFETIME
