"""A letter for the first sign-in of somebody who has no everyday address.

Its code is typed with the secure address; one letter is good for one person, until the
password is chosen, another letter is printed, or two weeks have passed.
"""

from __future__ import annotations

from django.db import models, transaction
from django.utils import timezone

from engine.audit.record import record
from engine.mail.address import Address, InvalidAddressError
from engine.registry.actions import shut_mail
from engine.registry.credentials import generated_secrets
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding import policies
from onboarding.models import Link, LinkPurpose

UNKNOWN = "The address and the code do not belong together, or the letter has ended."


@transaction.atomic
def issue(person: Person, *, by: Person) -> str:
    """Make the code of a new letter; an earlier letter ends. Raises PolicyError.

    The code is in the letter alone: what is kept is a digest.
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
        expires_at=timezone.now() + LinkPurpose.FIRST.lifetime,
        made_by=by,
    )
    record(
        "person.first_letter_printed",
        person,
        organisation_key=person.organisation_id,
        by=by,
    )
    return secret


@transaction.atomic
def open_letter(address: str, code: str) -> Person:
    """Whose letter it is, from which they may choose a password. Raises PolicyError.

    Where mail has arrived meanwhile, the mailbox is shut for a while: the letter may
    have been read by another than its owner.
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
