"""Jobs that send notices."""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from onboarding.notices import deliver, watching


def start() -> None:
    """Have a worker send what is due. Twice does no harm: each is sent once."""
    async_task("onboarding.notices.tasks.send", group="notices")


def send() -> int:
    try:
        watching.gather()
    finally:
        # What is promised already does not wait for what cannot be gathered.
        sent = deliver.deliver_all()
    return sent


def send_and_tidy() -> int:
    """What a job that died left behind, and what had to wait; runs by schedule."""
    deliver.forget_old()
    return send()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="onboarding.send_notices",
        defaults={
            "func": "onboarding.notices.tasks.send_and_tidy",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        },
    )
