from __future__ import annotations

import pytest
from django.test import Client

from engine.registry.actions import lists, people
from engine.registry.models import Organisation, Person, Posting, RoleName
from tests import factories
from tests.portal.conftest import SignIn


def path_of(person: Person) -> str:
    return f"/directory/people/{person.pk}/"


def test_the_first_page_offers_a_box_and_lists_nobody(
    signed_in: SignIn, bob: Person, alice: Person
) -> None:
    page = signed_in(bob).get("/directory/").content.decode()

    assert "Find a person" in page
    assert alice.address not in page


def test_a_search_shows_cards_with_a_way_to_write(
    signed_in: SignIn, bob: Person, charlie: Person
) -> None:
    page = signed_in(bob).get("/directory/?q=char").content.decode()

    assert "1 result" in page
    assert path_of(charlie) in page
    assert "/mail/write/?to=charlie%40harbour.secure.example" in page


def test_who_has_no_mailbox_here_writes_with_their_own_program(
    signed_in: SignIn, firm: Organisation, charlie: Person
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)

    page = signed_in(jane).get(path_of(charlie)).content.decode()

    assert "mailto:charlie@harbour.secure.example" in page


def test_nothing_found_says_what_to_do(signed_in: SignIn, bob: Person) -> None:
    page = signed_in(bob).get("/directory/?q=zzz").content.decode()

    assert "Check the spelling" in page


@pytest.mark.parametrize(
    "query",
    [
        "show=nobody",
        "kind=x",
        "organisation=x",
        "organisation=999999",
        "after=x",
        "q=%00",
    ],
)
def test_a_broken_filter_is_no_error(
    signed_in: SignIn, bob: Person, query: str
) -> None:
    assert signed_in(bob).get(f"/directory/?q=bob&{query}").status_code == 200


def test_results_come_in_pages_and_few_queries(
    signed_in: SignIn, bob: Person, harbour: Organisation, django_assert_max_num_queries
) -> None:
    for number in range(30):
        factories.make_person(f"p{number}@harbour.secure.example", harbour)
    client = signed_in(bob)

    with django_assert_max_num_queries(16):
        first = client.get("/directory/?q=harbour&show=person")
    second = client.get(first.context["next"])

    assert len(first.context["cards"]) == 25
    assert len(second.context["cards"]) == 5
    assert second.context["next"] is None


def test_strangers_are_sent_to_sign_in(client: Client, bob: Person) -> None:
    for path in ("/directory/", path_of(bob)):
        response = client.get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/account/login/")


def test_staff_without_the_permission_are_refused(signed_in: SignIn, db: None) -> None:
    auditor = factories.make_person("aud@secure.example")
    factories.make_staff(auditor, RoleName.AUDITOR)

    assert signed_in(auditor, second_factor=True).get("/directory/").status_code == 403


def test_ex_directory_people_have_no_page_and_no_card(
    signed_in: SignIn, alice: Person, bob: Person, charlie: Person
) -> None:
    people.edit(bob, is_ex_directory=True, by=alice)
    client = signed_in(charlie, second_factor=True)

    assert client.get(path_of(bob)).status_code == 404
    organisation = client.get(f"/directory/organisations/{bob.organisation_id}/")
    assert bob.address not in organisation.content.decode()
    assert organisation.context["page"].total == 1


def test_their_own_administrator_sees_them_marked(
    signed_in: SignIn, alice: Person, bob: Person
) -> None:
    people.edit(bob, is_ex_directory=True, by=alice)
    client = signed_in(alice, second_factor=True)

    assert "Not published" in client.get(path_of(bob)).content.decode()
    assert "Not published" in client.get("/directory/?q=bob").content.decode()


def test_a_list_tells_who_may_write_and_hides_its_members_from_others(
    signed_in: SignIn, alice: Person, bob: Person, charlie: Person
) -> None:
    made = factories.make_list(
        "panel@harbour.secure.example",
        charlie.organisation,
        alice.address,
        posting=Posting.COMMUNITY,
    )
    path = f"/directory/lists/{made.pk}/"

    outside = signed_in(bob).get(path).content.decode()
    assert "Everyone in the community may write" in outside
    assert alice.address not in outside

    for insider in (alice, charlie):
        inside = signed_in(insider, second_factor=True).get(path).content.decode()
        assert alice.address in inside


def test_members_of_a_list_do_not_learn_of_ex_directory_members(
    signed_in: SignIn, alice: Person, bob: Person, charlie: Person
) -> None:
    made = factories.make_list(
        "panel@harbour.secure.example", charlie.organisation, alice.address
    )
    lists.add_member(made, address=bob.address, by=charlie)
    people.edit(bob, is_ex_directory=True, by=alice)

    page = signed_in(charlie, second_factor=True).get(f"/directory/lists/{made.pk}/")

    assert bob.address not in page.content.decode()
    assert "1 of 2 shown" in page.content.decode()


def test_members_of_a_list_do_not_learn_of_unpublished_teams_and_lists(
    signed_in: SignIn, alice: Person, bob: Person, harbour: Organisation
) -> None:
    hidden = {"is_published": False}
    team = factories.make_group_mailbox("g@harbour.secure.example", harbour, **hidden)
    inner = factories.make_list("l@harbour.secure.example", harbour, **hidden)
    made = factories.make_list(
        "all@northfield.secure.example",
        alice.organisation,
        bob.address,
        team.address,
        inner.address,
    )

    page = signed_in(bob).get(f"/directory/lists/{made.pk}/")

    assert page.context["members"] == [bob.address]


def test_unpublished_lists_and_group_mailboxes_have_no_page(
    signed_in: SignIn, bob: Person, harbour: Organisation
) -> None:
    hidden = {"is_published": False}
    made = factories.make_list("l@harbour.secure.example", harbour, **hidden)
    team = factories.make_group_mailbox("g@harbour.secure.example", harbour, **hidden)
    client = signed_in(bob)

    assert client.get(f"/directory/lists/{made.pk}/").status_code == 404
    assert client.get(f"/directory/group-mailboxes/{team.pk}/").status_code == 404


def test_a_group_mailbox_tells_whose_it_is(
    signed_in: SignIn, bob: Person, harbour: Organisation
) -> None:
    team = factories.make_group_mailbox("g@harbour.secure.example", harbour)

    page = signed_in(bob).get(f"/directory/group-mailboxes/{team.pk}/")

    assert "Harbour Chambers" in page.content.decode()
