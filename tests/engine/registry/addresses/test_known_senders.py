from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from engine.registry.addresses.known_senders import (
    KnownSender,
    known_senders,
    organisations_of,
)
from engine.registry.models import Mailbox, Organisation, Person
from tests import factories

pytestmark = pytest.mark.django_db

JANE = "jane@firm.example.secure.example"


def test_senders_are_known_by_their_addresses_in_three_queries(
    alice: Person,
    charlie: Person,
    firm: Organisation,
    helpdesk: Mailbox,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    factories.make_person(JANE, firm, name="Jane Jones")
    asked = [alice.address, charlie.address, JANE, helpdesk.address, "x@y.example", ""]

    with django_assert_num_queries(3):
        known = known_senders(asked)

    assert known == {
        alice.address: KnownSender("Alice", "Northfield Court"),
        charlie.address: KnownSender("Charlie", "Harbour Chambers"),
        JANE: KnownSender("Jane Jones", "Firm Solicitors"),
        helpdesk.address: KnownSender("Helpdesk", "Postern"),
        "x@y.example": KnownSender(),
    }


def test_who_is_ex_directory_goes_by_address_and_organisation(bob: Person) -> None:
    bob.is_ex_directory = True
    bob.save()

    known = known_senders([bob.address])

    assert known[bob.address] == KnownSender("", "Northfield Court")


def test_a_claimed_domain_is_nobodys(firm: Organisation) -> None:
    firm.domains.update(verified_at=None)

    assert organisations_of([JANE]) == {}
