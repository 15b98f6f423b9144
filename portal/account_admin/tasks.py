"""Jobs of the organisation pages: ids in, one call, nothing else."""

from __future__ import annotations

from django_q.tasks import async_task

from engine.lanes import Lane
from engine.registry.models import Person
from portal.account_admin import emails


def invite(person: Person, *, lane: Lane = Lane.QUICK) -> None:
    """Queue a link to choose a password, with the transaction that asks for it."""
    async_task("portal.account_admin.tasks.send_invitation", person.pk, cluster=lane)


def send_invitation(person_id: int) -> None:
    emails.send_invitation(Person.objects.get(pk=person_id))
