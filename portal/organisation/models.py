from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from engine.registry.models import Organisation, Person

# A request to which nobody agreed for so long asks for nothing any more.
RESET_LIFETIME = timedelta(days=7)


class FactorResetQuerySet(models.QuerySet["FactorReset"]):
    def waiting(self) -> FactorResetQuerySet:
        """Those to which a second person may still agree."""
        since = timezone.now() - RESET_LIFETIME
        return self.filter(settled_at=None, requested_at__gt=since)

    def answerable(self) -> FactorResetQuerySet:
        """Those to which the owner may still say no: they wait, or were done lately."""
        since = timezone.now() - RESET_LIFETIME
        waiting = models.Q(settled_at=None, requested_at__gt=since)
        done = models.Q(done_at__gt=since, disowned_at=None)
        return self.filter(waiting | done).select_related("requested_by")


class FactorReset(models.Model):
    """Another wants somebody's second factor taken away, or has taken it away.

    It waits until a second person agrees, unless an administrator did it alone. Settled
    without `done_at` it was refused. `disowned_at` is when the owner said that what was
    done is not theirs.
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
        return self.settled_at is None and _is_recent(self.requested_at)

    @property
    def is_refused(self) -> bool:
        return self.settled_at is not None and self.done_at is None

    @property
    def may_be_disowned(self) -> bool:
        """True while the owner may say that a reset which was done is not theirs."""
        is_done = self.done_at is not None and self.disowned_at is None
        return is_done and _is_recent(self.done_at)


def _is_recent(at: datetime | None) -> bool:
    return at is not None and at > timezone.now() - RESET_LIFETIME


# A slice takes seconds, and a job whose process died is run again within half a minute.
STALLED = timedelta(minutes=2)


class PeopleFileStatus(models.TextChoices):
    """How far a file of people has come."""

    CHECKED = "checked", "Checked, not added yet"
    LOADING = "loading", "Being added"
    DONE = "done", "Added"


class PeopleFile(models.Model):
    """A file of people as it was read: who would be added, and what is wrong."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="people_files"
    )
    uploaded_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=200)
    status = models.CharField(
        max_length=10,
        choices=PeopleFileStatus.choices,
        default=PeopleFileStatus.CHECKED,
    )
    sends_links = models.BooleanField(default=False)
    rows = models.JSONField(default=list, help_text="whom to add, as fields by name")
    known_count = models.PositiveIntegerField(default=0, help_text="there already")
    faults = models.JSONField(default=list, help_text="[line, sentence]")
    done_count = models.PositiveIntegerField(default=0, help_text="rows dealt with")
    added_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    moved_at = models.DateTimeField(null=True, help_text="when it last went on")
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    def is_stalled(self, now: datetime) -> bool:
        """Whether people are being added and nobody was for STALLED."""
        if self.status != PeopleFileStatus.LOADING:
            return False
        return self.moved_at is None or now - self.moved_at > STALLED
