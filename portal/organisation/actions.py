"""What an administrator does to how somebody signs in."""

from __future__ import annotations

from typing import Unpack

from allauth.mfa.models import Authenticator
from django.db import transaction

from engine.audit.record import record
from engine.registry.actions import people
from engine.registry.models import Person
from portal.organisation import policies, tasks


@transaction.atomic
def edit_details(
    person: Person, *, by: Person, **details: Unpack[people.PersonFields]
) -> None:
    """Change what is known of a person.

    Links to sign in go to the everyday address: the one before hears of another.
    """
    before = person.everyday_address
    people.edit(person, by=by, **details)
    if before and before != person.everyday_address:
        tasks.tell_of_new_address(person, before)


@transaction.atomic
def send_sign_in_link(person: Person, *, by: Person) -> None:
    """End the person's password and send them a link to choose another.

    Raises PolicyError with the sentence to show.
    """
    policies.check_can_reset(person, by=by)
    policies.check_can_be_sent_link(person)
    people.end_password(person, by=by)
    tasks.invite(person)


@transaction.atomic
def reset_second_factor(person: Person, *, by: Person) -> None:
    """Take away every app, passkey and recovery code; the person sets up a new one.

    Raises PolicyError with the sentence to show.
    """
    policies.check_can_reset(person, by=by)
    Authenticator.objects.filter(user=person).delete()
    record(
        "person.second_factor_reset",
        person,
        organisation_key=person.organisation_id,
        by=by,
    )
    tasks.tell_of_reset(person)
