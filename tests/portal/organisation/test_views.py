from __future__ import annotations

import pytest

from engine.registry.actions import connections
from engine.registry.models import Connection, Organisation, Person, RoleName
from tests import factories
from tests.portal.conftest import SignIn


def test_administrator_lands_on_the_organisation(
    signed_in: SignIn, alice: Person, northfield: Organisation
) -> None:
    response = signed_in(alice, second_factor=True).get("/organisation/", follow=True)

    assert response.request["PATH_INFO"] == f"/organisation/{northfield.pk}/"
    assert "northfield.secure.example" in response.content.decode()


def test_administrator_of_several_chooses(
    signed_in: SignIn, alice: Person, northfield: Organisation, harbour: Organisation
) -> None:
    harbour.roles.create(person=alice, role=RoleName.ADMINISTRATOR)

    page = signed_in(alice, second_factor=True).get("/organisation/").content.decode()

    assert "Northfield Court" in page
    assert "Harbour Chambers" in page


@pytest.mark.parametrize("page", ["", "people/"])
def test_the_neighbour_sees_nothing(
    signed_in: SignIn, charlie: Person, northfield: Organisation, page: str
) -> None:
    client = signed_in(charlie, second_factor=True)

    refused = client.get(f"/organisation/{northfield.pk}/{page}")
    unknown = client.get(f"/organisation/999999/{page}")

    assert refused.status_code == unknown.status_code == 403


@pytest.mark.parametrize("page", ["", "people/"])
def test_a_member_sees_nothing(
    signed_in: SignIn, bob: Person, northfield: Organisation, page: str
) -> None:
    response = signed_in(bob).get(f"/organisation/{northfield.pk}/{page}")

    assert response.status_code == 403


def test_people_are_listed_with_their_role(
    signed_in: SignIn, alice: Person, bob: Person, charlie: Person
) -> None:
    client = signed_in(alice, second_factor=True)

    page = client.get(f"/organisation/{alice.organisation_id}/people/")

    assert list(page.context["page"]) == [alice, bob]
    assert page.context["administrators"] == {alice.pk}


def test_people_come_in_pages_and_few_queries(
    signed_in: SignIn, alice: Person, django_assert_max_num_queries
) -> None:
    for number in range(60):
        factories.make_person(
            f"p{number}@northfield.secure.example", alice.organisation
        )
    client = signed_in(alice, second_factor=True)

    with django_assert_max_num_queries(14):
        page = client.get(f"/organisation/{alice.organisation_id}/people/?page=2")

    assert len(page.context["page"]) == 11


def test_connection_values_show_no_secret(
    signed_in: SignIn, firm: Organisation, firm_connection: Connection
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    credential, secret = connections.add_credential(firm_connection, by=None)

    page = signed_in(jane, second_factor=True).get(f"/organisation/{firm.pk}/")

    assert credential.username in page.content.decode()
    assert secret not in page.content.decode()
