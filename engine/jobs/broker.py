"""django-q2's queue in the database, by the database's clock and in order."""

from __future__ import annotations

from django_q.brokers.orm import ORM
from django_q.models import OrmQ

from engine.database import clock


class Broker(ORM):  # type: ignore[misc]
    """Adds jobs as due now.

    django-q2's own asks the clock of the host, and takes due jobs in no order. What it
    has for fetching jobs is used by `qcluster` only, which we do not run.
    """

    def enqueue(self, task: str) -> int:
        row = OrmQ.objects.create(key=self.list_key, payload=task, lock=clock.now())
        return int(row.pk)
