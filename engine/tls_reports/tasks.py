"""Background job of the TLS reports, and its schedule."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django_q.models import Schedule

from engine.database import batches, clock
from engine.lanes import Lane
from engine.tls_reports.models import Failure, Report, SentReport, Session

SLICE = 500  # reports deleted in one transaction
SESSIONS = 5_000  # sessions, which have no rows of their own
# Two days to send their report in, and the day that they are of.
SESSIONS_KEPT = timedelta(hours=3 * 24)


# The dotted path of this function is stored in the schedule and in queued jobs, so its
# name outlives a rename.
def let_go() -> int:
    """Purges reports older than POSTERN_TRACE_DAYS, and sessions that were reported."""
    return batches.run(_purge) + batches.run(_purge_sessions)


def schedule_jobs() -> None:
    """Creates or updates the schedule."""
    Schedule.objects.update_or_create(
        name="tls_reports.let_go",
        defaults={
            "func": "engine.tls_reports.tasks.let_go",
            "schedule_type": Schedule.DAILY,
            "cluster": Lane.LONG,
        },
    )


@transaction.atomic
def _purge() -> int:
    before = clock.now() - timedelta(days=settings.POSTERN.trace_days)
    old = Report.objects.filter(received_at__lt=before).order_by("received_at")
    ids = list(old.values_list("pk", flat=True)[:SLICE])
    Failure.objects.filter(report__in=ids).delete()
    Report.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def _purge_sessions() -> int:
    before = clock.now() - SESSIONS_KEPT
    old = Session.objects.filter(at__lt=before).order_by("at")
    ids = list(old.values_list("pk", flat=True)[:SESSIONS])
    Session.objects.filter(pk__in=ids).delete()
    SentReport.objects.filter(made_at__lt=before).delete()
    return len(ids)
