"""Checks background jobs: those that are delayed, keep failing, or were given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Max

from engine.health.checks.findings import (
    CheckContext,
    Finding,
    Unknown,
    limit_findings,
)
from engine.jobs import backlog
from engine.jobs.models import JobRun
from engine.lanes import Lane

RULES = frozenset({"jobs_waiting", "job_failing", "job_given_up"})
LATE = timedelta(minutes=10)
# An import takes as long as its file needs, and others wait behind it.
LATE_BEHIND_LONG = timedelta(hours=1)
MAX_NAMED = 5


def check(context: CheckContext) -> Iterator[Finding | Unknown]:
    """Yields lanes with late jobs, jobs that keep failing, and jobs that were given up."""
    for lane in backlog.by_lane(context.now):
        limit = LATE_BEHIND_LONG if lane.lane == Lane.LONG else LATE
        if lane.due_since is not None and context.now - lane.due_since > limit:
            detail = (
                f"{lane.count} jobs wait, the oldest since {lane.due_since:%H:%M} UTC."
            )
            yield Finding("jobs_waiting", lane.lane, detail)
    yield from limit_findings(list(_failing()), "jobs keep failing.")
    given_up = JobRun.objects.given_up()
    names = sorted(set(given_up.values_list("func", flat=True)))
    if names:
        more = ", …" if len(names) > MAX_NAMED else ""
        yield Finding("job_given_up", "", f"{', '.join(names[:MAX_NAMED])}{more}")


def _failing() -> Iterator[Finding]:
    """Yields a finding for each schedule, and for each function of other jobs."""
    runs = JobRun.objects.failing().order_by()
    rows = runs.values("schedule", "func").annotate(
        count=Count("pk"), attempts=Max("attempts"), last=Max("pk")
    )
    kept = sorted(rows, key=lambda row: int(row["last"]))
    errors = dict(
        JobRun.objects.filter(pk__in=[row["last"] for row in kept]).values_list(
            "pk", "error"
        )
    )
    for row in kept:
        jobs = f"{row['count']} jobs, " if row["count"] > 1 else ""
        detail = (
            f"{jobs}{row['attempts']} attempts; last error: {errors.get(row['last'])}"
        )
        yield Finding("job_failing", row["schedule"] or row["func"], detail)
