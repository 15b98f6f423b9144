from __future__ import annotations

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import Connection, Grant, Mailbox, Organisation, Person
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.organisation.conftest import Path

NEW = {"name": "Listing", "address": "team", "is_published": "on"}


def test_add_a_group_mailbox(
    admin_client: Client, path_to: Path, alice: Person
) -> None:
    admin_client.post(path_to("mailboxes/add/"), NEW)

    made = Mailbox.objects.get(owner=None)
    assert made.address == "team@northfield.secure.example"
    assert Entry.objects.get(event="mailbox.added").by_name == alice.address


def test_a_server_organisation_adds_one_too(
    signed_in: SignIn, firm: Organisation, firm_connection: Connection
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    client = signed_in(jane, second_factor=True)

    page = client.get(f"/organisation/{firm.pk}/mailboxes/add/").content.decode()
    client.post(f"/organisation/{firm.pk}/mailboxes/add/", NEW)

    assert "no longer goes to your own server" in page
    assert Mailbox.objects.get().address == "team@firm.example.secure.example"


def test_address_that_is_taken_is_refused_beside_the_field(
    admin_client: Client, path_to: Path, alice: Person
) -> None:
    page = admin_client.post(path_to("mailboxes/add/"), NEW | {"address": "alice"})

    assert "already in use" in page.content.decode()
    assert "address" in page.context["form"].errors


def test_give_change_and_take_rights(
    admin_client: Client, path_to: Path, listing: Mailbox, bob: Person
) -> None:
    path = path_to(f"mailboxes/{listing.pk}/")

    admin_client.post(path, {"address": bob.address, "rights": ["read", "send"]})
    grant = Grant.objects.get()
    assert (grant.can_read, grant.can_write, grant.can_send) == (True, False, True)

    admin_client.post(f"{path}{bob.pk}/", {"rights": ["write"]})
    grant.refresh_from_db()
    assert (grant.can_read, grant.can_write, grant.can_send) == (False, True, False)

    admin_client.post(f"{path}{bob.pk}/remove/")
    assert not Grant.objects.exists()
    done = Entry.objects.filter(event__startswith="mailbox.")
    assert list(done.values_list("event", flat=True)) == [
        "mailbox.revoked",
        "mailbox.granted",
        "mailbox.granted",
    ]


def test_colleagues_are_offered_while_typing(
    admin_client: Client, path_to: Path, listing: Mailbox, alice: Person, bob: Person
) -> None:
    factories.make_grant(listing, alice, can_read=True)

    page = admin_client.get(path_to(f"mailboxes/{listing.pk}/"))

    assert list(page.context["colleagues"]) == [(bob.address, bob.name)]


@pytest.mark.parametrize(
    "address",
    ["charlie@harbour.secure.example", "nobody@northfield.secure.example", "x"],
)
def test_rights_are_for_ones_own_people(
    admin_client: Client, path_to: Path, listing: Mailbox, charlie: Person, address: str
) -> None:
    path = path_to(f"mailboxes/{listing.pk}/")

    page = admin_client.post(path, {"address": address, "rights": ["read"]})

    assert "address" in page.context["form"].errors
    assert not Grant.objects.exists()


def test_edit_suspend_and_resume(
    admin_client: Client, path_to: Path, listing: Mailbox
) -> None:
    path = path_to(f"mailboxes/{listing.pk}/")

    admin_client.post(f"{path}edit/", {"name": "Lists"})
    admin_client.post(f"{path}switch/", {"reason": "Closed"})
    listing.refresh_from_db()
    assert (listing.name, listing.is_published, listing.is_active) == (
        "Lists",
        False,
        False,
    )

    admin_client.post(f"{path}switch/")
    listing.refresh_from_db()
    assert listing.is_active


def test_personal_mailboxes_are_not_shown_here(
    admin_client: Client, path_to: Path, bob: Person
) -> None:
    assert admin_client.get(path_to(f"mailboxes/{bob.mailbox.pk}/")).status_code == 404
    assert not admin_client.get(path_to("mailboxes/")).context["page"].rows


def test_many_mailboxes_come_in_pages_and_few_queries(
    admin_client: Client,
    path_to: Path,
    northfield: Organisation,
    django_assert_max_num_queries,
) -> None:
    Mailbox.objects.bulk_create(
        Mailbox(
            address=f"t{n:04}@northfield.secure.example",
            name=f"Team {n:04}",
            kind="group",
            organisation=northfield,
        )
        for n in range(1000)
    )

    with django_assert_max_num_queries(17):
        page = admin_client.get(path_to("mailboxes/"))

    assert len(page.context["page"].rows) == 50
