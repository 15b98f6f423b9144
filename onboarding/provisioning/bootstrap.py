"""Bootstraps a new community: the operator's organisation, addresses, keys, first operator."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from engine.registry.actions import (
    aliases,
    domains,
    mailboxes,
    organisations,
    people,
    roles,
)
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Kind,
    Mailbox,
    Organisation,
    Person,
    RoleName,
)
from engine.signing import keys as signing_keys
from engine.signing.models import Purpose

# Notices are sent from the first. RFC 5321 §4.5.1 requires postmaster, and RFC 2142 §4
# asks for abuse and security.
ALIASES = ("notices", "postmaster", "abuse", "security")


@transaction.atomic
def create_community(
    *, organisation_name: str, local_part: str, name: str, everyday_address: str
) -> Person:
    """Creates the operator's organisation, its addresses, keys and first operator.

    Raises PolicyError if the community has an operator already, or an address is invalid.
    """
    if Organisation.objects.filter(kind=Kind.OPERATOR).exists():
        raise PolicyError(
            "This community has an operator already. Add staff in the console."
        )
    operator = _organisation(organisation_name)
    person = people.add(
        operator,
        address=_at_home(local_part),
        name=name,
        everyday_address=everyday_address,
        by=None,
    )
    roles.give_staff(person, RoleName.OPERATOR, by=None)
    _service_addresses(operator, person)
    for purpose in Purpose:
        signing_keys.current(purpose)
    return person


def _organisation(name: str) -> Organisation:
    operator = organisations.add(
        name=name, kind=Kind.OPERATOR, account_type=AccountType.WEBMAIL, by=None
    )
    domain = domains.add(
        operator, member_domain=settings.POSTERN.community_domain, by=None
    )
    domains.verify(domain, by=None)
    organisations.activate(operator, by=None)
    return operator


def _service_addresses(operator: Organisation, person: Person) -> None:
    helpdesk: Mailbox = mailboxes.add_group(
        operator, address=_at_home("helpdesk"), name="Helpdesk", by=None
    )
    mailboxes.grant(
        helpdesk, person, can_read=True, can_write=True, can_send=True, by=None
    )
    for alias in ALIASES:
        aliases.add(operator, address=_at_home(alias), target=helpdesk.address, by=None)


def _at_home(local_part: str) -> str:
    return f"{local_part}@{settings.POSTERN.community_domain}"
