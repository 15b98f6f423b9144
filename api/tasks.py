"""Jobs of the API: what is told to other systems, and what is forgotten."""

from __future__ import annotations

from django.utils import timezone
from django_q.models import Schedule

from api.models import AccessToken
from api.webhooks import delivery, enqueue
from engine.lanes import Lane


def tell_webhooks() -> None:
    """Find what is new and tell it; doing it again tells nothing twice."""
    try:
        enqueue.gather()
    finally:
        # What is known already does not wait for what cannot be gathered.
        delivery.deliver()


def forget_tokens() -> None:
    """Remove tokens that have ended."""
    AccessToken.objects.filter(expires_at__lt=timezone.now()).delete()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
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
