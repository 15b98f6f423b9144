"""Jobs that check, provision and write letters."""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from engine.jobs import queue
from engine.jobs.current import committed
from engine.lanes import Lane
from onboarding import checks, housekeeping, provisioning, sign_ins
from onboarding.models import Application

RESUME_MINUTES = 5


def start_checks(application: Application) -> None:
    """Have a worker look up what the desk wants to know. Inside a transaction."""
    checks.plan(application)
    async_task("onboarding.tasks.run_checks", application.pk, cluster=Lane.CALLS)


def run_checks(application_id: int) -> None:
    checks.run(application_id)


def start_provisioning(application_id: int) -> None:
    """Have a worker run the steps that are left."""
    async_task(
        "onboarding.tasks.provision",
        application_id,
        group=f"provision-{application_id}",
    )


def provision(application_id: int) -> None:
    provisioning.run(application_id)


def start_letter(letter_id: int) -> None:
    """Have a worker write a letter that was asked for."""
    async_task("onboarding.tasks.write_letter", letter_id, group="letters")


def write_letter(letter_id: int) -> None:
    provisioning.write_letter_again(letter_id)


def resume_provisioning() -> int:
    """Start again what a crash or a passing fault left unfinished; runs by schedule.

    What fails is tried again by its own job. Returns how many applications were started.
    """
    stalled = [
        application.pk
        for application in Application.objects.unfinished()
        if provisioning.is_stalled(application)
        and not provisioning.waits_for_an_officer(application)
    ]
    queue.add_missing(
        "onboarding.tasks.run_checks", checks.left_running(), lane=Lane.CALLS
    )
    queue.add_missing("onboarding.tasks.write_letter", provisioning.unwritten_letters())
    return queue.add_missing("onboarding.tasks.provision", stalled)


def start_answer_to_request(address: str) -> None:
    """Queue the same job for every address typed.

    Whoever asks cannot tell, even by the clock, whether it is a member's.
    """
    async_task("onboarding.tasks.answer_request", address)


@committed
def answer_request(address: str) -> None:
    sign_ins.answer_request(address)


def tidy() -> None:
    """Letters that have served, credentials that were replaced, drafts left behind."""
    housekeeping.tidy()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    for name, minutes in (("resume_provisioning", RESUME_MINUTES), ("tidy", 60)):
        Schedule.objects.update_or_create(
            name=f"onboarding.{name}",
            defaults={
                "func": f"onboarding.tasks.{name}",
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
            },
        )
