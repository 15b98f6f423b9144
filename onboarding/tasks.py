"""The doors through which django-q2 runs provisioning."""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from onboarding import provisioning
from onboarding.models import Application

# After this many failed attempts of a step, only an officer's button tries again.
MAX_ATTEMPTS = 10
RESUME_MINUTES = 5


def start_provisioning(application_id: int) -> None:
    """Have a worker run the steps that are left."""
    async_task(
        "onboarding.tasks.provision",
        application_id,
        group=f"provision-{application_id}",
    )


def provision(application_id: int) -> None:
    provisioning.run(application_id)


def resume_provisioning() -> int:
    """Start again what a crash or a passing fault left unfinished; runs by schedule.

    Returns how many applications were started.
    """
    stalled = [
        application
        for application in Application.objects.unfinished()
        if provisioning.is_stalled(application)
        and not application.steps.filter(attempts__gte=MAX_ATTEMPTS).exists()
    ]
    for application in stalled:
        start_provisioning(application.pk)
    return len(stalled)


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="onboarding.resume_provisioning",
        defaults={
            "func": "onboarding.tasks.resume_provisioning",
            "schedule_type": Schedule.MINUTES,
            "minutes": RESUME_MINUTES,
        },
    )
