"""Background jobs: checks, provisioning, welcome letters, directory sign-ins, purges.

Queued jobs and schedules in the database name these functions by path: keep the names.
"""

from __future__ import annotations

from django_q.models import Schedule
from django_q.tasks import async_task

from engine.jobs import queue
from engine.jobs.running_job import committed
from engine.lanes import Lane
from onboarding import housekeeping
from onboarding.first_sign_in import directory_sign_ins
from onboarding.letters import letter_writer
from onboarding.models import Application
from onboarding.provisioning import runner
from onboarding.vetting import checks

RESUME_MINUTES = 5


def start_checks(application: Application) -> None:
    """Queues the application's checks. Call it inside a transaction."""
    checks.plan(application)
    async_task("onboarding.tasks.run_checks", application.pk, cluster=Lane.CALLS)


def run_checks(application_id: int) -> None:
    """Job: runs an application's checks."""
    checks.run(application_id)


def start_provisioning(application_id: int) -> None:
    """Queues the remaining provisioning steps."""
    async_task(
        "onboarding.tasks.provision",
        application_id,
        group=f"provision-{application_id}",
    )


def provision(application_id: int) -> None:
    """Job: runs an application's remaining provisioning steps."""
    runner.run(application_id)


def start_letter(letter_id: int) -> None:
    """Queues the writing of a requested letter."""
    async_task("onboarding.tasks.write_letter", letter_id, group="letters")


def write_letter(letter_id: int) -> None:
    """Job: writes a requested letter."""
    letter_writer.write_requested(letter_id)


def resume_provisioning() -> int:
    """Scheduled job: restarts checks, letters and provisioning that a crash interrupted.

    A step that failed is retried by its own job. Returns the number of applications
    whose provisioning was started.
    """
    stalled = [
        application.pk
        for application in Application.objects.unfinished()
        if runner.is_stalled(application) and not runner.needs_officer(application)
    ]
    queue.add_missing(
        "onboarding.tasks.run_checks", checks.find_abandoned(), lane=Lane.CALLS
    )
    queue.add_missing("onboarding.tasks.write_letter", letter_writer.find_unwritten())
    return queue.add_missing("onboarding.tasks.provision", stalled)


def start_answer_to_request(address: str) -> None:
    """Queues the same job for every address entered.

    So not even the response time shows the visitor whether an address is a member's.
    """
    async_task("onboarding.tasks.answer_request", address)


@committed
def answer_request(address: str) -> None:
    """Job: emails the answer to a request for a directory sign-in."""
    directory_sign_ins.answer_request(address)


def tidy() -> None:
    """Scheduled job: purges letters, credentials, drafts and links."""
    housekeeping.tidy()


def schedule_jobs() -> None:
    """Registers the scheduled jobs. Idempotent."""
    for name, minutes in (("resume_provisioning", RESUME_MINUTES), ("tidy", 60)):
        Schedule.objects.update_or_create(
            name=f"onboarding.{name}",
            defaults={
                "func": f"onboarding.tasks.{name}",
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
            },
        )
