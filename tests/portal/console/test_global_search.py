from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from engine.registry.models import Person, RoleName
from engine.trace.models import Event
from tests import factories
from tests.portal.conftest import SignIn


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    """The browser of an operator."""
    return signed_in(olive, second_factor=True)


def results_of(client: Client, sought: str) -> dict[str, list[str]]:
    sections = client.get("/admin/search/", {"q": sought}).context["sections"]
    return {
        section.title: [row[0].text for row in section.table.rows]
        for section, _ in sections
        if section.table
    }


def test_everything_is_found_by_its_name(
    staff_client: Client, bob: Person, firm
) -> None:
    northfield = bob.organisation
    factories.make_group_mailbox("listing@northfield.secure.example", northfield)
    factories.make_list("users@northfield.secure.example", northfield)
    Event.objects.create(reference="ABC123", kind="failed", at=timezone.now())

    assert results_of(staff_client, "bob@northfield")["People"] == ["Bob"]
    assert results_of(staff_client, "firm.example") == {
        "Organisations": ["Firm Solicitors"]
    }
    assert results_of(staff_client, "listing@") == {
        "Addresses": ["listing@northfield.secure.example"]
    }
    assert results_of(staff_client, "users@northfield")["Addresses"] == [
        "users@northfield.secure.example"
    ]
    assert results_of(staff_client, "abc123") == {"Messages": ["ABC123"]}


def test_nothing_is_shown_that_the_role_may_not_see(
    signed_in: SignIn, bob: Person
) -> None:
    editor = factories.make_person("eddy@secure.example")
    factories.make_staff(editor, RoleName.GUIDE_EDITOR)
    Event.objects.create(reference="ABC123", kind="failed", at=timezone.now())
    client = signed_in(editor, second_factor=True)

    assert results_of(client, "bob") == {}
    assert results_of(client, "ABC123") == {}


def test_empty_search_says_what_can_be_found(staff_client: Client) -> None:
    assert b"an application" in staff_client.get("/admin/search/").content
    assert b"Try part" in staff_client.get("/admin/search/?q=zzzz").content


def test_search_asks_few_questions(
    staff_client: Client, django_assert_max_num_queries
) -> None:
    for number in range(20):
        made = factories.make_organisation(name=f"Ash {number}")
        factories.make_person(f"ash{number}@x.secure.example", made)

    with django_assert_max_num_queries(28):
        assert len(results_of(staff_client, "ash")["People"]) == 10
