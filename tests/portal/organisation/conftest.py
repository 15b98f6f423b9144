from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from engine.registry.models import DistributionList, Mailbox, Organisation, Person
from tests import factories
from tests.portal.conftest import SignIn

Path = Callable[..., str]


@pytest.fixture
def admin_client(signed_in: SignIn, alice: Person) -> Client:
    """Alice's browser: Northfield's administrator, with a second factor."""
    return signed_in(alice, second_factor=True)


@pytest.fixture
def path_to(northfield: Organisation) -> Path:
    """Returns the path of one of Northfield's pages."""
    return lambda rest="": f"/organisation/{northfield.pk}/{rest}"


@pytest.fixture
def listing(northfield: Organisation) -> Mailbox:
    return factories.make_group_mailbox(
        "listing@northfield.secure.example", northfield, name="Listing office"
    )


@pytest.fixture
def duty(northfield: Organisation, alice: Person) -> DistributionList:
    return factories.make_list(
        "duty@northfield.secure.example", northfield, alice.address, name="On duty"
    )


@pytest.fixture
def thousand_people(northfield: Organisation) -> list[Person]:
    """A thousand people of Northfield."""
    return Person.objects.bulk_create(
        Person(
            address=f"p{n:04}@northfield.secure.example",
            name=f"Person {n:04}",
            organisation=northfield,
            password="!",
        )
        for n in range(1000)
    )
