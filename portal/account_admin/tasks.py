"""Background jobs of account administration."""

from __future__ import annotations

from django_q.tasks import async_task

from engine.lanes import Lane
from engine.registry.models import Person
from portal.account_admin import emails


def invite(person: Person, *, lane: Lane = Lane.QUICK) -> None:
    """Queues the email with the link to choose a password, in the caller's transaction."""
    async_task("portal.account_admin.tasks.send_invitation", person.pk, cluster=lane)


def send_invitation(person_id: int) -> None:
    """Sends the invitation; the job behind `invite`."""
    emails.send_invitation(Person.objects.get(pk=person_id))
