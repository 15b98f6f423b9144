from __future__ import annotations

import pytest
from django.test import Client

from engine.registry.models import Mailbox, Organisation, Person
from tests import factories
from tests.portal.conftest import sign_in


@pytest.fixture
def office(team: Mailbox, alice: Person, bob: Person) -> Mailbox:
    """A group mailbox of which Alice and Bob are members with every right."""
    for person in (alice, bob):
        factories.make_grant(team, person, can_read=True, can_write=True, can_send=True)
    return team


@pytest.fixture
def reader(team: Mailbox, northfield: Organisation) -> Person:
    """A member who may only read the group mailbox."""
    rita = factories.make_person("rita@northfield.secure.example", northfield)
    factories.make_grant(team, rita, can_read=True)
    return rita


@pytest.fixture
def bobs(bob: Person) -> Client:
    return sign_in(Client(), bob)


@pytest.fixture
def alices(alice: Person) -> Client:
    return sign_in(Client(), alice, second_factor=True)


@pytest.fixture
def ritas(reader: Person) -> Client:
    return sign_in(Client(), reader)


@pytest.fixture
def charlies(charlie: Person) -> Client:
    """A browser of the neighbour organisation's administrator."""
    return sign_in(Client(), charlie, second_factor=True)
