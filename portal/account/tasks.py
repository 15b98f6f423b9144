"""Jobs of signing in: ids in, one call, nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from engine import clock
from engine.lanes import Lane
from engine.registry.actions import recovery
from engine.registry.models import Person
from portal.account import emails, failed_sign_ins
from portal.account.models import LastCode
from portal.sessions.models import SignIn

# The privacy page says so.
SIGN_IN_RECORDS_KEPT = timedelta(days=90)


def ask_password_reset(address: str) -> None:
    """Queue the same job for every address typed.

    Whoever asks cannot tell, even by the clock, whether it is somebody's.
    """
    async_task("portal.account.tasks.send_password_reset", address)


def send_password_reset(address: str) -> None:
    person = Person.objects.filter(address=address, is_active=True).first()
    if person is not None:
        recovery.apply_due_change(person)
        emails.send_password_reset(person)


def ask_to_tell_of_failures(address: str) -> None:
    """Queue the same job for every address at which signing in failed too often."""
    async_task("portal.account.tasks.note_failures", address)


def note_failures(address: str) -> None:
    person = Person.objects.filter(address=address, is_active=True).first()
    if person is not None:
        failed_sign_ins.note(person, failed_sign_ins.TOO_MANY)


def tell_of_change(person: Person, kind: str) -> None:
    """Queue a notice; the job is tried again where the mail engine cannot take it."""
    at = clock.now().isoformat()
    async_task("portal.account.tasks.send_notice", person.pk, kind, at)


def send_notice(person_id: int, kind: str, at: str = "") -> None:
    """`at` is the moment of the change; jobs queued before an upgrade may lack it."""
    moment = datetime.fromisoformat(at) if at else clock.now()
    emails.send_notice(Person.objects.get(pk=person_id), kind, at=moment)


def forget() -> None:
    """Remove ended sessions, and records of signing in that are no longer needed."""
    call_command("clearsessions")
    before = timezone.now() - SIGN_IN_RECORDS_KEPT
    SignIn.objects.filter(at__lt=before).delete()
    # A code is good for 90 seconds: whatever is older refuses nothing.
    LastCode.objects.filter(accepted_at__lt=before).delete()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="account.forget",
        defaults={
            "func": "portal.account.tasks.forget",
            "schedule_type": Schedule.DAILY,
            "cluster": Lane.LONG,
        },
    )
