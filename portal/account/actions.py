"""What a person does to their own ways in, beyond what allauth does."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from engine.registry.actions import people
from engine.registry.models import AppPassword, Person
from portal.account import tasks


@transaction.atomic
def make_app_password(
    person: Person, *, name: str, expires_at: datetime | None, by: Person
) -> tuple[AppPassword, str]:
    """Make a secret for a mail program, and tell the person that it was made.

    Whoever sits down at an unlocked screen could make one unseen otherwise.
    """
    made, secret = people.add_app_password(
        person, name=name, expires_at=expires_at, by=by
    )
    tasks.tell_of_change(person, "app_password_added")
    return made, secret
