"""Codes in printed first sign-in letters, for people without an everyday address.

The code is entered together with the secure address. It works until a password is
chosen, another letter is printed, or two weeks have passed.
"""

from __future__ import annotations

from datetime import date

from django.db import models, transaction
from django.utils import timezone

from engine import calendar_days
from engine.audit.record import record
from engine.mail.address import Address, InvalidAddressError
from engine.registry.actions import shut_mail
from engine.registry.credentials import generated_secrets
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding.first_sign_in import policies
from onboarding.models import Link, LinkPurpose

UNKNOWN = (
    "The address and the code do not belong together, or the letter has expired. Check "
    "both, or ask your administrator for a new letter."
)


@transaction.atomic
def issue(person: Person, *, by: Person) -> str:
    """Returns the code for a new letter and ends earlier letters. Raises PolicyError.

    Only a digest of the code is stored.
    """
    person = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    policies.check_can_print_first_letter(person)
    _of(person).update(used_at=timezone.now())
    secret = generated_secrets.new_secret()
    Link.objects.create(
        purpose=LinkPurpose.FIRST,
        address=person.address,
        about=person.pk,
        digest=generated_secrets.digest(secret),
        # The letter names a last day, and works until that day is over.
        expires_at=calendar_days.end_of(
            timezone.localdate() + LinkPurpose.FIRST.lifetime
        ),
        made_by=by,
    )
    record(
        "person.first_letter_printed",
        person,
        organisation_key=person.organisation_id,
        by=by,
    )
    return secret


def last_day(person: Person) -> date:
    """Returns the last day on which the code of the newest letter works."""
    return calendar_days.last_before(_of(person).latest("pk").expires_at)


@transaction.atomic
def redeem(address: str, code: str) -> Person:
    """Returns the person whose letter has this code. Raises PolicyError.

    If mail has arrived since it was printed, the mailbox is shut for a while: the letter
    may have been read by another person than its owner.
    """
    links = Link.objects.select_for_update(of=("self",)).filter(
        purpose=LinkPurpose.FIRST,
        digest__in=generated_secrets.digests(code),
        used_at=None,
        expires_at__gt=timezone.now(),
    )
    link = links.select_related("made_by").first()
    person = Person.objects.filter(pk=link.about).first() if link else None
    if link is None or person is None or person.address != _key(address):
        raise PolicyError(UNKNOWN)
    policies.check_can_set_first_password(person)
    shut_mail.shut_after_letter(person, printed_by=link.made_by)
    return person


def _of(person: Person) -> models.QuerySet[Link]:
    return Link.objects.filter(purpose=LinkPurpose.FIRST, about=person.pk, used_at=None)


def _key(text: str) -> str:
    try:
        return Address.parse(text.strip()).key
    except InvalidAddressError:
        return ""
