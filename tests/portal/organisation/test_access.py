"""Access to the organisation's pages: its own administrators only."""

from __future__ import annotations

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.registry.models import (
    DistributionList,
    Mailbox,
    Organisation,
    Person,
    RoleName,
)
from portal.organisation.models import PeopleFile
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.organisation.conftest import Path

PAGES = [
    "",
    "people/",
    "people/add/",
    "people/file/",
    "people/file/template.csv",
    "people/file/{file}/",
    "people/{bob}/",
    "people/{bob}/edit/",
    "people/{bob}/suspend/",
    "people/{bob}/resume/",
    "people/{bob}/link/",
    "people/{bob}/second-factor/",
    "people/{bob}/role/",
    "mailboxes/",
    "mailboxes/add/",
    "mailboxes/{mailbox}/",
    "mailboxes/{mailbox}/edit/",
    "mailboxes/{mailbox}/switch/",
    "mailboxes/{mailbox}/{bob}/",
    "mailboxes/{mailbox}/{bob}/remove/",
    "lists/",
    "lists/add/",
    "lists/{list}/",
    "lists/{list}/edit/",
    "lists/{list}/switch/",
    "lists/{list}/posters/",
    "addresses/",
    "trace/",
    "security/",
    "history/",
    "history/history.csv",
]
# Paths that change something with a POST alone.
ACTS = ["people/file/{file}/start/", "lists/{list}/remove/"]


@pytest.fixture
def ids(
    northfield: Organisation, bob: Person, listing: Mailbox, duty: DistributionList
) -> dict[str, int]:
    """The ids in the URLs of Northfield's pages."""
    factories.make_grant(listing, bob, can_read=True)
    file = PeopleFile.objects.create(organisation=northfield, name="people.csv")
    return {"bob": bob.pk, "mailbox": listing.pk, "list": duty.pk, "file": file.pk}


@pytest.mark.parametrize("page", PAGES)
def test_administrator_opens_it(
    admin_client: Client, path_to: Path, ids: dict[str, int], page: str
) -> None:
    assert admin_client.get(path_to(page.format(**ids))).status_code == 200


@pytest.mark.parametrize("page", PAGES + ACTS)
def test_the_neighbour_is_refused_as_if_there_were_nothing(
    signed_in: SignIn, charlie: Person, path_to: Path, ids: dict[str, int], page: str
) -> None:
    client = signed_in(charlie, second_factor=True)
    path = page.format(**ids)

    refused = client.post(path_to(path))
    unknown = client.post(f"/organisation/999999/{path}")

    assert refused.status_code == unknown.status_code == 403
    assert not Entry.objects.exclude(event="person.signed_in").exists()


@pytest.mark.parametrize("page", PAGES + ACTS)
def test_a_member_is_refused(
    signed_in: SignIn, bob: Person, path_to: Path, ids: dict[str, int], page: str
) -> None:
    assert signed_in(bob).post(path_to(page.format(**ids))).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_sent_to_the_sign_in_page(
    client: Client, path_to: Path, ids: dict[str, int], page: str
) -> None:
    response = client.get(path_to(page.format(**ids)))

    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if "{" in page],
)
def test_what_is_the_neighbours_is_not_found_among_ones_own(
    signed_in: SignIn,
    charlie: Person,
    harbour: Organisation,
    ids: dict[str, int],
    page: str,
) -> None:
    client = signed_in(charlie, second_factor=True)

    response = client.get(f"/organisation/{harbour.pk}/{page.format(**ids)}")

    assert response.status_code == 404


def test_helpdesk_agent_sees_only_what_the_role_holds(
    signed_in: SignIn, path_to: Path, ids: dict[str, int]
) -> None:
    hugh = factories.make_person("hugh@secure.example", name="Hugh")
    factories.make_staff(hugh, RoleName.HELPDESK_AGENT)
    client = signed_in(hugh, second_factor=True)

    page = client.get(path_to("people/"))

    assert page.status_code == 200
    assert [str(link["text"]) for link in page.context["sections"]] == [
        "People",
        "Message trace",
    ]
    for closed in ("", "lists/", "mailboxes/", "history/", "security/"):
        assert client.get(path_to(closed)).status_code == 403


def test_operator_may_look_after_any_organisation(
    signed_in: SignIn, olive: Person, path_to: Path, ids: dict[str, int]
) -> None:
    client = signed_in(olive, second_factor=True)

    for page in ("", "people/", "lists/", "mailboxes/", "trace/"):
        assert client.get(path_to(page)).status_code == 200
    assert client.get(path_to("history/")).status_code == 403


@pytest.mark.parametrize("act", ["edit", "suspend", "link", "second-factor", "role"])
def test_helpdesk_agent_takes_over_no_member_of_staff(
    signed_in: SignIn, northfield: Organisation, act: str
) -> None:
    hugh = factories.make_person("hugh@secure.example", name="Hugh")
    factories.make_staff(hugh, RoleName.HELPDESK_AGENT)
    otto = factories.make_person("otto@northfield.secure.example", northfield)
    factories.make_staff(otto, RoleName.OPERATOR)
    client = signed_in(hugh, second_factor=True)

    path = f"/organisation/{northfield.pk}/people/{otto.pk}/{act}/"

    assert client.post(path, {"reason": "x"}).status_code == 403
    assert not Entry.objects.exclude(event="person.signed_in").exists()


def test_administrator_lands_on_the_organisation(
    admin_client: Client, path_to: Path
) -> None:
    response = admin_client.get("/organisation/", follow=True)

    assert response.request["PATH_INFO"] == path_to()


def test_administrator_of_several_chooses(
    admin_client: Client, alice: Person, harbour: Organisation
) -> None:
    harbour.roles.create(person=alice, role=RoleName.ADMINISTRATOR)

    page = admin_client.get("/organisation/").content.decode()

    assert "Northfield Court" in page
    assert "Harbour Chambers" in page
