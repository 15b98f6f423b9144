"""Jobs of the organisation pages: ids in, one call, nothing else."""

from __future__ import annotations

from django_q.tasks import async_task

from engine.registry.models import Person
from portal.organisation import emails


def invite(person: Person) -> None:
    """Queue a link to choose a password, with the transaction that asks for it."""
    async_task("portal.organisation.tasks.send_invitation", person.pk)


def send_invitation(person_id: int) -> None:
    emails.send_invitation(Person.objects.get(pk=person_id))


def tell_of_reset(person: Person) -> None:
    async_task("portal.organisation.tasks.send_second_factor_reset", person.pk)


def tell_of_new_address(person: Person, before: str) -> None:
    async_task("portal.organisation.tasks.send_new_address", person.pk, before)


def send_new_address(person_id: int, before: str) -> None:
    emails.send_new_address(Person.objects.get(pk=person_id), before)


def send_second_factor_reset(person_id: int) -> None:
    emails.send_second_factor_reset(Person.objects.get(pk=person_id))
