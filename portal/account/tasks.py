"""Jobs of signing in: ids in, one call, nothing else."""

from __future__ import annotations

from django_q.tasks import async_task

from engine.registry.models import Person
from portal.account import emails


def ask_password_reset(address: str) -> None:
    """Queue the same job for every address typed.

    Whoever asks cannot tell, even by the clock, whether it is somebody's.
    """
    async_task("portal.account.tasks.send_password_reset", address)


def send_password_reset(address: str) -> None:
    person = Person.objects.filter(address=address, is_active=True).first()
    if person is not None:
        emails.send_password_reset(person)
