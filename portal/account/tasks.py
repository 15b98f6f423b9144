"""Background jobs of the account: mail, records of failures, housekeeping.

django-q2 keeps the dotted path of a job in the database, so that the function names have
to survive an upgrade.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from engine.database import clock
from engine.lanes import Lane
from engine.registry.actions import recovery
from engine.registry.models import Person
from portal.account import emails, failed_sign_ins
from portal.account.models import LastCode
from portal.sessions.models import SignIn

# The privacy page states this period.
SIGN_IN_RECORDS_KEPT = timedelta(days=90)


def ask_password_reset(address: str) -> None:
    """Queues a job for any address, known or not.

    The response and its timing therefore do not disclose whether an account exists.
    """
    async_task("portal.account.tasks.send_password_reset", address)


def send_password_reset(address: str) -> None:
    """Sends the link to an active person; does nothing for an unknown address."""
    person = Person.objects.filter(address=address, is_active=True).first()
    if person is not None:
        recovery.apply_due_change(person)
        emails.send_password_reset(person)


def ask_to_tell_of_failures(address: str) -> None:
    """Queues a job for any address at which signing in failed too often."""
    async_task("portal.account.tasks.note_failures", address)


def note_failures(address: str) -> None:
    """Records the failures, where the address belongs to an active person."""
    person = Person.objects.filter(address=address, is_active=True).first()
    if person is not None:
        failed_sign_ins.note(person, failed_sign_ins.TOO_MANY)


def tell_of_change(person: Person, kind: str) -> None:
    """Queues a notification; the job is retried while the mail engine is unavailable."""
    at = clock.now().isoformat()
    async_task("portal.account.tasks.send_notice", person.pk, kind, at)


def send_notice(person_id: int, kind: str, at: str = "") -> None:
    """Sends a notification. `at` is the time of the change, in ISO format.

    Jobs queued before an upgrade may lack it.
    """
    moment = datetime.fromisoformat(at) if at else clock.now()
    emails.send_notice(Person.objects.get(pk=person_id), kind, at=moment)


def forget() -> None:
    """Deletes expired sessions, and records of sign-ins after their retention period."""
    call_command("clearsessions")
    before = timezone.now() - SIGN_IN_RECORDS_KEPT
    SignIn.objects.filter(at__lt=before).delete()
    # A code is valid for 90 seconds: older rows no longer refuse any.
    LastCode.objects.filter(accepted_at__lt=before).delete()


def schedule_jobs() -> None:
    """Registers the schedule. Safe to run after each migration."""
    Schedule.objects.update_or_create(
        name="account.forget",
        defaults={
            "func": "portal.account.tasks.forget",
            "schedule_type": Schedule.DAILY,
            "cluster": Lane.LONG,
        },
    )
