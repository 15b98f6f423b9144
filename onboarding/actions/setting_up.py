"""What a new administrator does first."""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.registry.actions import people
from engine.registry.models import Person
from onboarding import policies
from onboarding.models import NoticeKind
from onboarding.notices.promise import promise


@transaction.atomic
def set_first_password(person: Person, password: str, *, by: Person) -> None:
    """The password with which an administrator starts; it ends the link to set it.

    Raises PolicyError with the sentence to show.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    policies.check_can_set_first_password(person)
    people.set_password(person, password=password, by=by)


@transaction.atomic
def send_first_sign_in_again(person: Person, *, by: Person | None) -> None:
    """Send an administrator who never signed in another link to do so.

    Raises PolicyError with the sentence to show.
    """
    policies.check_can_set_first_password(person)
    record(
        "person.first_sign_in_sent",
        person,
        organisation_key=person.organisation_id,
        by=by,
    )
    promise(
        NoticeKind.FIRST_SIGN_IN,
        to=person.everyday_address or person.address,
        about=person.pk,
    )
