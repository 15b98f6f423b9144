"""Whether jobs are done: those that wait too long, that fail, and that were given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Max
from prometheus_client.metrics_core import Metric

from engine.health.gauges import gauge
from engine.health.situation import Finding, Situation, Unknown, fold
from engine.jobs import queue
from engine.jobs.models import JobRun
from engine.lanes import Lane

RULES = frozenset({"jobs_waiting", "job_failing", "job_given_up"})
LATE = timedelta(minutes=10)
# Where one import may take as long as it takes, another waits behind it.
LATE_BEHIND_LONG = timedelta(hours=1)
NAMED = 5


def look(situation: Situation) -> Iterator[Finding | Unknown]:
    """Lanes in which jobs wait too long, jobs that fail, and those that nobody tries
    again."""
    for one in queue.waiting(situation.now):
        most = LATE_BEHIND_LONG if one.lane == Lane.LONG else LATE
        if one.due_since is not None and situation.now - one.due_since > most:
            said = f"{one.count} jobs wait, the oldest since {one.due_since:%H:%M} UTC."
            yield Finding("jobs_waiting", one.lane, said)
    yield from fold(list(_failing()), "jobs fail again and again.")
    given_up = JobRun.objects.given_up()
    names = sorted(set(given_up.values_list("func", flat=True)))
    if names:
        more = ", …" if len(names) > NAMED else ""
        yield Finding("job_given_up", "", f"{', '.join(names[:NAMED])}{more}")


def _failing() -> Iterator[Finding]:
    """One for each schedule, and for each function of other jobs."""
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
        said = f"{jobs}{row['attempts']} attempts; the last: {errors.get(row['last'])}"
        yield Finding("job_failing", row["schedule"] or row["func"], said)


def gauges(now: datetime) -> Iterator[Metric]:
    """Jobs that are due, those that fail again and again, and those given up."""
    due = gauge("jobs_waiting", "Jobs that are due and not begun, by lane.", ["lane"])
    age = gauge("jobs_oldest_seconds", "Since the oldest of them is due.", ["lane"])
    for one in queue.waiting(now):
        since = one.due_since
        due.add_metric([one.lane], one.count)
        age.add_metric([one.lane], (now - since).total_seconds() if since else 0.0)
    failing = gauge(
        "jobs_failing", "Jobs that failed several times and are tried again."
    )
    failing.add_metric([], JobRun.objects.failing().count())
    given_up = gauge("jobs_given_up", "Jobs that failed for good and wait for you.")
    given_up.add_metric([], JobRun.objects.given_up().count())
    yield from (due, age, failing, given_up)
