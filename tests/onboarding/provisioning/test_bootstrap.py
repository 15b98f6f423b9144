from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from engine.mail.address import Address
from engine.registry import permissions
from engine.registry.models import Kind, Organisation, Person
from engine.registry.permissions import Permission
from engine.routing import routes
from engine.signing.models import Purpose, SigningKey
from onboarding import signed_links

pytestmark = pytest.mark.django_db
OPERATOR = {
    "organisation": "Justice Mail Service",
    "name": "Olive Grant",
    "local_part": "olive",
    "everyday_address": "olive@justice.example",
}


def found_community(**over: str) -> str:
    said = StringIO()
    call_command("found_community", **(OPERATOR | over), stdout=said)
    return said.getvalue()


def test_first_operator_can_let_others_in() -> None:
    found_community()

    olive = Person.objects.get()
    assert olive.address == "olive@secure.example"
    assert permissions.can(olive, Permission.MANAGE_STAFF)
    assert olive.organisation and olive.organisation.is_active


def test_link_that_is_printed_opens_the_first_sign_in(client: Client) -> None:
    [link] = [
        line for line in found_community().splitlines() if line.startswith("http")
    ]

    page = client.get("/" + link.split("/", 3)[3])

    assert page.status_code == 200
    assert signed_links.first_sign_in(link.rstrip("/").rpartition("/")[2]).is_live


@pytest.mark.parametrize(
    "local", ["helpdesk", "postmaster", "notices", "abuse", "security"]
)
def test_service_addresses_reach_the_helpdesk(local: str) -> None:
    found_community()

    route = routes.current().resolve(Address(local, "secure.example"))

    assert str(route.address) == "helpdesk@secure.example"


def test_keys_that_sign_certificates_are_made() -> None:
    found_community()

    made = SigningKey.objects.filter(retired_at=None)
    assert {key.purpose for key in made} == set(Purpose.values)


def test_community_is_founded_once() -> None:
    found_community()

    with pytest.raises(CommandError, match="has an operator already"):
        found_community(local_part="mallory")

    assert Organisation.objects.filter(kind=Kind.OPERATOR).count() == 1


def test_nothing_is_left_of_an_attempt_with_a_bad_address() -> None:
    with pytest.raises(CommandError, match="not an address"):
        found_community(everyday_address="olive at justice")

    assert not Organisation.objects.exists()
