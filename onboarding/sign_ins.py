"""Directory sign-ins: for people whose organisation has its own mail server.

Organisations do not register each of their users, so whoever proves to read a mailbox in
a member's domain may have one.
"""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.registry.actions import people, recovery
from engine.registry.addresses.allocation import is_taken, to_community_address
from engine.registry.errors import PolicyError
from engine.registry.models import Domain, Organisation, Person
from onboarding import policies
from onboarding.models import NoticeKind
from onboarding.notices.promise import promise


@transaction.atomic
def give(person: Person, *, by: Person | None) -> None:
    """Send a person without a password the link to choose one.

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
    promise(NoticeKind.FIRST_SIGN_IN, to=_notice_address(person), about=person.pk)


def answer_request(text: str) -> None:
    """Mail to the address itself whatever its reader may have; to others, nothing."""
    try:
        address = to_community_address(text)
        policies.check_can_have_sign_in(_organisation_at(address.domain))
    except PolicyError:
        return
    person = Person.objects.filter(address=address.key).first()
    if person is None and not is_taken(address.key):
        promise(NoticeKind.SIGN_IN_CLAIM, to=address.key)
    elif person is not None and person.is_active:
        _answer_known(person)


def _answer_known(person: Person) -> None:
    if person.has_usable_password():
        promise(NoticeKind.HAS_SIGN_IN, to=_notice_address(person), about=person.pk)
    else:
        give(person, by=None)


@transaction.atomic
def claim(address: str, *, name: str, password: str, by: None) -> Person:
    """Make the person who has proved to read the mailbox at the address.

    Raises PolicyError where it has become somebody's, or may have no sign-in any more.
    """
    organisation = _organisation_at(address.rpartition("@")[2])
    policies.check_can_have_sign_in(organisation)
    return people.add(
        organisation, address=address, name=name, password=password, by=by
    )


def _notice_address(person: Person) -> str:
    """Where their organisation has a mail server, their own mailbox hears it as well."""
    return person.everyday_address or person.address


def _organisation_at(domain: str) -> Organisation | None:
    """Whose domain it is, where its mailboxes are elsewhere."""
    pairs = Domain.objects.verified().select_related("organisation")
    pair = pairs.filter(community_domain=domain).first()
    return None if pair is None or pair.organisation.is_hosted else pair.organisation
