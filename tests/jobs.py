"""Does what the worker would do with the jobs that wait, here and now."""

from __future__ import annotations

from django.core import mail
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from engine.backend import ServiceMessage
from engine.jobs import current


def run_waiting() -> int:
    """Run each job that waits, oldest first, and those it starts. Returns how many.

    Each runs twice, as one does whose process died before it was noted as done: what a
    test expects must not change by that.
    """
    ran = 0
    while (waiting := OrmQ.objects.order_by("id").first()) is not None:
        job = waiting.task
        waiting.delete()
        work = import_string(job["func"])
        for _ in range(1 if current.is_committed(work) else 2):
            with current.running(job["id"]):
                work(*job.get("args", ()), **job.get("kwargs", {}))
        _forget_resent()
        ran += 1
    return ran


def _forget_resent() -> None:
    """Take out of the outbox what the queue knows again by its key."""
    known = set()
    for message in list(getattr(mail, "outbox", ())):
        key = message.key if isinstance(message, ServiceMessage) else ""
        resent = (key, tuple(message.to))
        if key and resent in known:
            mail.outbox.remove(message)
        known.add(resent)
