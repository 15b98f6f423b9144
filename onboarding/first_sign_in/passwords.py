"""Sets the first password of a new person, and resends the link to choose it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from engine.audit.record import record
from engine.registry.actions import people, recovery, shut_mail
from engine.registry.models import Person
from onboarding.first_sign_in import policies
from onboarding.models import NoticeKind
from onboarding.notices import outbox


@transaction.atomic
def set_first_password(
    person: Person, password: str, *, sent_at: datetime, by: Person
) -> None:
    """Sets a person's first password, which also ends the link to set it.

    `sent_at` is when the link was made. If the everyday address was new at that time and
    the account was not, the link may have been diverted to another person, so the
    mailbox is shut for a while. Raises PolicyError with the sentence to show.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    policies.check_can_set_first_password(person)
    shut_mail.shut_after_recovery(person, sent_at=sent_at)
    people.set_password(person, password=password, by=by)


@transaction.atomic
def resend_link(person: Person, *, by: Person | None) -> None:
    """Emails another link to a person who has not chosen a password yet.

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
    outbox.add(
        NoticeKind.FIRST_SIGN_IN,
        to=person.everyday_address or person.address,
        about=person.pk,
    )
