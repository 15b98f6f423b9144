"""Runs queued jobs in the test's own process, as the worker would."""

from __future__ import annotations

from django.core import mail
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from engine.email_backend import ServiceMessage
from engine.jobs import running_job


def run_queued() -> int:
    """Runs every queued job, oldest first, and those that they queue.

    Returns how many. Each job runs twice, as it does when a worker dies between running
    a job and recording it: a test's expectations must hold all the same.
    """
    ran = 0
    while (waiting := OrmQ.objects.order_by("id").first()) is not None:
        job = waiting.task
        waiting.delete()
        work = import_string(job["func"])
        for _ in range(1 if running_job.is_committed(work) else 2):
            with running_job.running(job["id"]):
                work(*job.get("args", ()), **job.get("kwargs", {}))
        _forget_resent()
        ran += 1
    return ran


def _forget_resent() -> None:
    """Removes messages that the queue would recognise by their key."""
    known = set()
    for message in list(getattr(mail, "outbox", ())):
        key = message.key if isinstance(message, ServiceMessage) else ""
        resent = (key, tuple(message.to))
        if key and resent in known:
            mail.outbox.remove(message)
        known.add(resent)
