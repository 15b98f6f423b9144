from __future__ import annotations

import csv

import pytest
from django.test import Client

from engine.audit.models import Entry
from engine.registry.actions import organisations, people
from engine.registry.models import Connection, Organisation, Person
from portal.ui import audit_entries
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.organisation.conftest import Path


def test_history_shows_ones_own_entries_only(
    admin_client: Client, path_to: Path, alice: Person, bob: Person, charlie: Person
) -> None:
    people.edit(bob, name="Robert", is_ex_directory=True, by=alice)
    people.edit(charlie, name="Charles", by=charlie)

    page = admin_client.get(path_to("history/"))
    text = page.content.decode()

    assert "Person edited" in text
    assert "Name: Bob → Robert" in text
    assert "Kept out of the directory: no → yes" in text
    assert "Charles" not in text


def test_what_a_key_may_do_is_not_told_as_a_change() -> None:
    detail = {
        "scopes": ["people:read", "people:write"],
        "expires": "2027-07-26 20:17:01.544446+00:00",
    }

    assert audit_entries.details(Entry(event="api_key.added", detail=detail)) == [
        ("Scopes", "people:read, people:write"),
        ("Expires", "26 July 2027 at 9:17pm"),
    ]


def test_history_is_searched(
    admin_client: Client, path_to: Path, alice: Person, bob: Person
) -> None:
    people.edit(bob, name="Robert", by=alice)
    people.suspend(bob, reason="Left", by=alice)

    lines = admin_client.get(path_to("history/?q=suspended")).context["lines"]

    assert [entry.event for entry, _, _ in lines] == ["person.suspended"]


def test_history_file_holds_everything_and_runs_no_formula(
    admin_client: Client, path_to: Path, alice: Person, northfield: Organisation
) -> None:
    factories.make_person("=cmd@northfield.secure.example", northfield)
    people.suspend(Person.objects.get(address__startswith="="), reason="x", by=alice)

    raw = b"".join(
        admin_client.get(path_to("history/history.csv")).streaming_content
    ).decode()

    heading, row, *_ = csv.reader(raw.removeprefix("\ufeff").splitlines())
    assert heading[:2] == ["When", "Who"]
    assert row[2:4] == ["person.suspended", "'=cmd@northfield.secure.example"]


def test_a_download_of_the_history_is_in_the_history(
    admin_client: Client, path_to: Path, alice: Person, northfield: Organisation
) -> None:
    answer = admin_client.get(path_to("history/history.csv?q=bob"))

    assert b"audit.exported" not in b"".join(answer.streaming_content)
    entry = Entry.objects.get(event="audit.exported")
    assert (entry.by_key, entry.detail) == (str(alice.pk), {"search": "bob"})
    assert entry.organisation_key == str(northfield.pk)


def test_history_file_keeps_accents_and_opens_in_excel(
    admin_client: Client, path_to: Path, alice: Person, bob: Person
) -> None:
    people.edit(bob, name="Siân", by=alice)

    raw = b"".join(admin_client.get(path_to("history/history.csv")).streaming_content)

    assert raw.startswith("\ufeff".encode())
    assert "Siân" in raw.decode()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("person.password_set", "Password set"),
        ("person.suspended", "Person suspended"),
        ("list.member_added", "List member added"),
        ("mailbox.granted", "Rights to a group mailbox given"),
    ],
)
def test_what_was_done_is_said_as_people_say_it(event: str, words: str) -> None:
    assert audit_entries.event_label(event) == words


def test_a_thousand_entries_come_in_pages_and_few_queries(
    admin_client: Client,
    path_to: Path,
    northfield: Organisation,
    django_assert_max_num_queries,
) -> None:
    Entry.objects.bulk_create(
        Entry(
            at="2026-01-01T00:00:00Z",
            event="x.y",
            organisation_key=str(northfield.pk),
            previous_digest=str(n),
            digest=str(n + 1),
        )
        for n in range(1000)
    )

    with django_assert_max_num_queries(16):
        first = admin_client.get(path_to("history/"))
    second = admin_client.get(
        path_to("history/") + first.context["page"].links["next"]["href"]
    )

    newest, next_newest = first.context["page"].rows, second.context["page"].rows
    assert newest[-1].pk == next_newest[0].pk + 1


def test_second_factor_is_asked_of_everybody_and_no_more(
    admin_client: Client, path_to: Path, northfield: Organisation, bob: Person
) -> None:
    page = admin_client.get(path_to("security/"))
    assert page.context["missing_count"] == 1

    admin_client.post(path_to("security/"))
    northfield.refresh_from_db()
    assert northfield.mfa_required

    admin_client.post(path_to("security/"))
    northfield.refresh_from_db()
    assert not northfield.mfa_required
    assert Entry.objects.filter(event="organisation.edited").count() == 2


def test_addresses_show_values_and_no_secret(
    signed_in: SignIn, firm: Organisation, firm_connection: Connection
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)
    firm_connection.credentials.create(username="firm", digest="d" * 64)

    client = signed_in(jane, second_factor=True)
    page = client.get(f"/organisation/{firm.pk}/addresses/").content.decode()

    assert "firm.example.secure.example" in page
    assert "d" * 64 not in page


def test_pages_of_a_suspended_organisation_are_closed(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    organisations.suspend(northfield, reason="x", by=None)

    # Its people are signed out, and cannot sign in again.
    answer = admin_client.get(path_to())
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")


def test_a_thousand_without_a_second_factor_come_in_pages_and_few_queries(
    admin_client: Client,
    path_to: Path,
    thousand_people: list[Person],
    django_assert_max_num_queries,
) -> None:
    with django_assert_max_num_queries(17):
        page = admin_client.get(path_to("security/"))

    assert page.context["missing_count"] == 1000
    assert len(page.context["page"].rows) == 50


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ({"scopes": ["lists:read", "lists:write"]}, "lists:read, lists:write"),
        ({"events": ["message.failed"]}, "message.failed"),
        ({"networks": [[], ["192.0.2.0/24"]]}, "nothing → 192.0.2.0/24"),
        ({"is_read": True}, "yes"),
    ],
)
def test_details_are_shown_in_words(detail: dict[str, object], shown: str) -> None:
    assert [value for _, value in audit_entries.details(Entry(detail=detail))] == [
        shown
    ]


def test_namesakes_without_a_second_factor_are_told_apart(
    admin_client: Client, path_to: Path, northfield: Organisation, bob: Person
) -> None:
    other = factories.make_person("b2@northfield.secure.example", northfield)
    Person.objects.filter(pk=other.pk).update(name=bob.name)

    page = admin_client.get(path_to("security/")).content.decode()

    assert page.count(f">{bob.name}</a>") == 2
    assert bob.address in page and other.address in page
