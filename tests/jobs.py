"""Does what the worker would do with the jobs that wait, here and now."""

from __future__ import annotations

from django.utils.module_loading import import_string
from django_q.models import OrmQ


def run_waiting() -> int:
    """Run each job that waits, oldest first, and those it starts. Returns how many."""
    ran = 0
    while (waiting := OrmQ.objects.order_by("id").first()) is not None:
        job = waiting.task
        waiting.delete()
        import_string(job["func"])(*job.get("args", ()), **job.get("kwargs", {}))
        ran += 1
    return ran
