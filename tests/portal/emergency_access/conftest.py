from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from engine.registry.models import Organisation, Person
from engine.storage.models import Message
from portal.emergency_access import actions
from portal.emergency_access.models import EmergencyAccess
from tests import factories
from tests.portal.conftest import sign_in
from tests.portal.webmail.conftest import PDF, store_message

Open = Callable[..., EmergencyAccess]
Browse = Callable[[Person], Client]


@pytest.fixture
def amy(northfield: Organisation) -> Person:
    """A second administrator of Northfield."""
    person = factories.make_person("amy@northfield.secure.example", northfield)
    factories.make_mailbox(person)
    factories.make_administrator(person)
    return person


@pytest.fixture
def message(bob: Person) -> Message:
    """An unread message in Bob's mailbox, with an attachment."""
    return store_message(bob.mailbox, attachments=[PDF], html="<p>MARKER</p>")


@pytest.fixture
def browse() -> Browse:
    """Opens a browser of a person who has shown a second factor."""
    return lambda person: sign_in(Client(), person, second_factor=True)


def ask(holder: Person, *, by: Person, **over: Any) -> EmergencyAccess:
    fields = {"reason": "The judge waits for the order.", "hours": 4}
    return actions.ask(holder.mailbox, **(fields | over), by=by)


@pytest.fixture
def opened(alice: Person, amy: Person, olive: Person, bob: Person) -> EmergencyAccess:
    """Bob's mailbox, open to Alice with the approval of Amy and Olive."""
    access = ask(bob, by=alice)
    actions.approve(access, by=amy)
    actions.approve(access, by=olive)
    access.refresh_from_db()
    return access
