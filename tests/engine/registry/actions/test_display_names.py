"""No verb accepts a name that impersonates the service or contains an address."""

from __future__ import annotations

import pytest

from engine.registry.actions import lists, mailboxes, organisations, people
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Organisation, Person
from tests import factories

pytestmark = pytest.mark.django_db

NAMES = ["Postern Support", "H\u0435lpdesk", "alice@court.example", "Al\u200bice"]


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_given_a_name_that_passes_for_anothers(
    northfield: Organisation, bob: Person, name: str
) -> None:
    group = factories.make_group_mailbox("g@northfield.secure.example", northfield)
    made = factories.make_list("l@northfield.secure.example", northfield)
    new = {"address": "new@northfield.secure.example", "name": name, "by": None}

    for attempt in (
        lambda: people.add(northfield, **new),
        lambda: people.edit(bob, name=name, by=bob),
        lambda: mailboxes.add_group(northfield, **new),
        lambda: mailboxes.edit(group, name=name, by=bob),
        lambda: lists.add(northfield, **new),
        lambda: lists.edit(made, name=name, by=bob),
        lambda: organisations.edit(northfield, name=name, by=None),
        lambda: organisations.add(
            name=name, kind="law_firm", account_type="webmail", by=None
        ),
    ):
        with pytest.raises(PolicyError):
            attempt()


def test_a_namesake_and_a_members_own_helpdesk_are_welcome(
    northfield: Organisation, alice: Person, bob: Person
) -> None:
    people.edit(bob, name=alice.name, by=bob)
    made = mailboxes.add_group(
        northfield,
        address="it@northfield.secure.example",
        name="Northfield Helpdesk",
        by=None,
    )

    assert bob.name == alice.name
    assert made.name == "Northfield Helpdesk"


def test_the_service_is_called_what_it_is(helpdesk: Mailbox) -> None:
    mailboxes.edit(helpdesk, name="Postern Helpdesk", by=None)

    assert helpdesk.name == "Postern Helpdesk"
