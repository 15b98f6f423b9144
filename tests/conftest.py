"""The standing cast. Alice owns, Bob helps, Charlie must see nothing of it.

Northfield is hosted here, Harbour is the neighbour (hosted too), and Firm keeps its own
mail server. Vera is a vetting officer and Olive an operator.
"""

from __future__ import annotations

import pytest

from engine.registry.models import (
    AccountType,
    Connection,
    Kind,
    Organisation,
    Person,
    RoleName,
)
from tests import factories


@pytest.fixture
def northfield(db: None) -> Organisation:
    organisation = factories.make_organisation(name="Northfield Court", kind=Kind.COURT)
    factories.make_domain(organisation, "northfield.secure.example")
    return organisation


@pytest.fixture
def harbour(db: None) -> Organisation:
    organisation = factories.make_organisation(name="Harbour Chambers")
    factories.make_domain(organisation, "harbour.secure.example")
    return organisation


@pytest.fixture
def firm(db: None) -> Organisation:
    organisation = factories.make_organisation(
        name="Firm Solicitors", account_type=AccountType.SMTP
    )
    factories.make_domain(organisation, "firm.example")
    return organisation


@pytest.fixture
def firm_connection(firm: Organisation) -> Connection:
    return factories.make_connection(firm)


@pytest.fixture
def alice(northfield: Organisation) -> Person:
    """An administrator of Northfield, with a mailbox."""
    person = factories.make_person("alice@northfield.secure.example", northfield)
    factories.make_mailbox(person)
    factories.make_administrator(person)
    return person


@pytest.fixture
def bob(northfield: Organisation) -> Person:
    """A member of Northfield, with a mailbox."""
    person = factories.make_person("bob@northfield.secure.example", northfield)
    factories.make_mailbox(person)
    return person


@pytest.fixture
def charlie(harbour: Organisation) -> Person:
    """The neighbour: an administrator of Harbour, with a mailbox."""
    person = factories.make_person("charlie@harbour.secure.example", harbour)
    factories.make_mailbox(person)
    factories.make_administrator(person)
    return person


@pytest.fixture
def vera(db: None) -> Person:
    """A vetting officer."""
    person = factories.make_person("vera@secure.example", name="Vera")
    factories.make_staff(person, RoleName.VETTING_OFFICER)
    return person


@pytest.fixture
def olive(db: None) -> Person:
    """An operator."""
    person = factories.make_person("olive@secure.example", name="Olive")
    factories.make_staff(person, RoleName.OPERATOR)
    return person
