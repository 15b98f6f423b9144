"""What a new administrator does first."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from engine.audit.record import record
from engine.registry.actions import people, recovery, shut_mail
from engine.registry.models import Person
from onboarding import policies
from onboarding.models import NoticeKind
from onboarding.notices.promise import promise


@transaction.atomic
def set_first_password(
    person: Person, password: str, *, sent_at: datetime, by: Person
) -> None:
    """The password with which somebody starts; it ends the link to set it.

    `sent_at` is when the link left: where the address was new then, and the account not,
    the mailbox is shut for a while. Raises PolicyError with the sentence to show.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    policies.check_can_set_first_password(person)
    shut_mail.shut_after_recovery(person, sent_at=sent_at)
    people.set_password(person, password=password, by=by)


@transaction.atomic
def send_first_sign_in_again(person: Person, *, by: Person | None) -> None:
    """Send an administrator who never signed in another link to do so.

    Raises PolicyError with the sentence to show.
    """
    policies.check_can_set_first_password(person)
    recovery.apply_due_change(person)
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
