"""The broker that django-q2 (1.11.1) queues jobs with, by the database's clock."""

from __future__ import annotations

from django_q.brokers.orm import ORM
from django_q.models import OrmQ

from engine.database import clock


class Broker(ORM):  # type: ignore[misc]
    """Queues jobs as due now.

    django-q2's own broker reads the clock of the host, and takes due jobs in no order.
    The methods it has for fetching jobs are those of `qcluster`, which we do not run.
    """

    def enqueue(self, task: str) -> int:
        row = OrmQ.objects.create(key=self.list_key, payload=task, lock=clock.now())
        return int(row.pk)
