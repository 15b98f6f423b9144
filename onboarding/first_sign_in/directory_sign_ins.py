"""Directory sign-ins for people whose organisation has its own mail server.

Such organisations do not register all of their users, so anyone who proves that they
read a mailbox in a member's domain may have one.
"""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.registry.actions import people, recovery
from engine.registry.addresses.allocation import is_taken, to_community_address
from engine.registry.errors import PolicyError
from engine.registry.models import Actor, Domain, Organisation, Person
from onboarding.first_sign_in import policies
from onboarding.models import NoticeKind
from onboarding.notices import outbox


@transaction.atomic
def give(person: Person, *, by: Actor | None) -> None:
    """Emails a link to choose a password to a person who has none.

    Raises PolicyError with the sentence to show.
    """
    policies.check_can_have_sign_in(person.organisation)
    policies.check_can_set_first_password(person)
    recovery.apply_due_change(person)
    record(
        "person.sign_in_given",
        person,
        organisation_key=person.organisation_id,
        by=by,
    )
    outbox.add(NoticeKind.FIRST_SIGN_IN, to=_notice_address(person), about=person.pk)


def answer_request(text: str) -> None:
    """Emails the address a link, a reminder, or nothing, depending on who it is.

    Says nothing to the requester: only the mailbox learns whether it has an account.
    """
    try:
        address = to_community_address(text)
        policies.check_can_have_sign_in(_organisation_at(address.domain))
    except PolicyError:
        return
    person = Person.objects.filter(address=address.key).first()
    if person is None and not is_taken(address.key):
        outbox.add(NoticeKind.SIGN_IN_CLAIM, to=address.key)
    elif person is not None and person.is_active:
        _answer_known(person)


def _answer_known(person: Person) -> None:
    if person.has_usable_password():
        outbox.add(NoticeKind.HAS_SIGN_IN, to=_notice_address(person), about=person.pk)
    else:
        give(person, by=None)


@transaction.atomic
def claim(address: str, *, name: str, password: str, by: None) -> Person:
    """Creates a person for an address whose reader followed the mailed link.

    Raises PolicyError if the address was taken meanwhile, or may no longer have one.
    """
    organisation = _organisation_at(address.rpartition("@")[2])
    policies.check_can_have_sign_in(organisation)
    return people.add(
        organisation, address=address, name=name, password=password, by=by
    )


def _notice_address(person: Person) -> str:
    """Falls back to the secure address, which their own mail server delivers."""
    return person.everyday_address or person.address


def _organisation_at(domain: str) -> Organisation | None:
    """Returns the owner of a community domain whose mailboxes are elsewhere, or None."""
    pairs = Domain.objects.verified().select_related("organisation")
    pair = pairs.filter(community_domain=domain).first()
    return None if pair is None or pair.organisation.is_hosted else pair.organisation
