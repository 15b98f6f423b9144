"""Runs of background jobs: attempts, errors, and what was given up."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

# So many failed attempts count as "keeps failing": the first for runs of a schedule, which
# is never given up, after about half a minute; the second for other jobs, after about two
# minutes and a half.
FEW_ATTEMPTS, SOME_ATTEMPTS = 3, 5


class RunState(models.TextChoices):
    """The state of a job that is running or has failed."""

    QUEUED = "queued", "Waiting for its turn"
    RUNNING = "running", "Running"
    FAILED = "failed", "Failed, and tried again"
    GIVEN_UP = "given_up", "Given up"


class JobRunQuerySet(models.QuerySet["JobRun"]):
    """Job runs by their state."""

    def troubled(self) -> JobRunQuerySet:
        """Returns the jobs that failed and have not succeeded since, given-up ones first."""
        rows = self.filter(failed_at__isnull=False)
        return rows.order_by("-state", "-failed_at", "pk")

    def given_up(self) -> JobRunQuerySet:
        """Returns the jobs that are no longer retried."""
        return self.filter(state=RunState.GIVEN_UP)

    def failing(self) -> JobRunQuerySet:
        """Returns the jobs that are retried and failed too often for a passing fault."""
        scheduled = Q(attempts__gte=FEW_ATTEMPTS) & ~Q(schedule="")
        often = scheduled | Q(attempts__gte=SOME_ATTEMPTS)
        return self.unfinished().filter(often, failed_at__isnull=False)

    def unfinished(self) -> JobRunQuerySet:
        """Returns the jobs that are queued, running or retried."""
        return self.exclude(state=RunState.GIVEN_UP)


class JobRun(models.Model):
    """A job from its first start until it succeeds; one that is given up stays.

    It adds attempts and errors to the rows of django-q2's own queue, which have neither.
    """

    job_id = models.CharField(max_length=32, unique=True)
    queue_id = models.BigIntegerField(
        null=True, db_index=True, help_text="django-q2's row; none once given up"
    )
    lane = models.CharField(max_length=20)
    func = models.CharField(max_length=200)
    arguments = models.CharField(max_length=300, blank=True)
    schedule = models.CharField(
        max_length=100,
        blank=True,
        help_text="whose run this is, if it runs by the clock",
    )
    package = models.TextField(help_text="signed, as it was queued")
    state = models.CharField(
        max_length=10, choices=RunState.choices, default=RunState.RUNNING
    )
    attempts = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=100, blank=True, help_text="host:pid")
    started_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, db_index=True)
    next_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    detail = models.TextField(blank=True, help_text="where in the code it failed")

    objects = JobRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                name="jobs_of_a_schedule",
                fields=["schedule"],
                condition=~models.Q(schedule=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.func}({self.arguments})"
