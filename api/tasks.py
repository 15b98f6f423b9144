"""Background jobs of the API: delivering webhooks and purging access tokens.

django-q2 keeps the dotted path of a job in the database, so that these function names
have to survive an upgrade.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule

from api.models import AccessToken, SandboxMessage
from api.webhooks import delivery, enqueue
from engine.database import clock
from engine.lanes import Lane

SANDBOX_RETENTION = timedelta(days=7)


def tell_webhooks() -> None:
    """Enqueues new events and delivers what is due. Safe to run twice."""
    try:
        enqueue.enqueue_new_events()
    finally:
        # A fault while reading the sources must not hold up calls already enqueued.
        delivery.deliver()


def forget_tokens() -> None:
    """Deletes expired access tokens, and what is old in the sandbox."""
    AccessToken.objects.filter(expires_at__lt=timezone.now()).delete()
    old = clock.now() - SANDBOX_RETENTION
    SandboxMessage.objects.filter(created_at__lt=old).defer("raw").delete()


def schedule_jobs() -> None:
    """Registers the schedules of the API's jobs. Safe to run after each migration."""
    for name, how, lane in (
        ("tell_webhooks", Schedule.MINUTES, Lane.WEBHOOKS),
        ("forget_tokens", Schedule.HOURLY, Lane.QUICK),
    ):
        Schedule.objects.update_or_create(
            name=f"api.{name}",
            defaults={
                "func": f"api.tasks.{name}",
                "schedule_type": how,
                "minutes": 1,
                "cluster": lane,
            },
        )
