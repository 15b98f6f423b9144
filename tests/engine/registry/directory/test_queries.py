from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.registry import directory
from engine.registry.actions import organisations, people
from engine.registry.directory import EntryKind
from engine.registry.models import Kind, Organisation, Person, RoleName
from tests import factories


def names(page: directory.Page) -> list[str]:
    return [entry.name for entry in page.entries]


@pytest.fixture
def jane(firm: Organisation) -> Person:
    return factories.make_person(
        "jane.oneill@firm.example.secure.example",
        firm,
        name="Jané O’Neill-Smith",
        job_title="Senior Partner",
        phone="020 7946 0000",
    )


@pytest.mark.parametrize(
    "text",
    [
        "jane",
        "JANÉ",
        "o'neill",
        "O’Neill",
        "oneill",
        "neill",
        "smith",
        "o'neill-smith",
        "oneillsm",
        "smi ja",
        "partner",
        "solicitors jane",
        "jane.oneill@firm.example",
        "jane.oneill@firm.example.secure.example",
        "jane.oneill@firm.example.sec",
        "j s n",
    ],
)
def test_a_person_is_found_by(alice: Person, jane: Person, text: str) -> None:
    inside = jane.organisation_id

    assert names(directory.search(text, viewer=alice)) == [jane.name]
    assert jane.name in names(directory.search(text, viewer=alice, organisation=inside))


@pytest.mark.parametrize(
    "text", ["smith bob", "ane", "!!!", '"', "=kperson", "secure x", "j%l", "j_l"]
)
def test_a_person_is_not_found_by(alice: Person, jane: Person, text: str) -> None:
    inside = jane.organisation_id

    assert jane.name not in names(directory.search(text, viewer=alice))
    assert jane.name not in names(
        directory.search(text, viewer=alice, organisation=inside)
    )


def test_an_entry_tells_what_a_card_shows(
    alice: Person, jane: Person, firm: Organisation
) -> None:
    (entry,) = directory.search("oneill", viewer=alice).entries

    assert entry == directory.Entry(
        kind=EntryKind.PERSON,
        id=jane.pk,
        name="Jané O’Neill-Smith",
        address="jane.oneill@firm.example.secure.example",
        organisation_id=firm.pk,
        organisation="Firm Solicitors",
        organisation_kind=Kind.LAW_FIRM,
        town="Leeds",
        job_title="Senior Partner",
        phone="020 7946 0000",
        is_published=True,
    )


@pytest.mark.parametrize("viewer", ["stranger", "suspended", "auditor"])
def test_nobody_finds_anything_without_the_permission(
    alice: Person, jane: Person, viewer: str
) -> None:
    if viewer == "stranger":
        seen_by: Person | AnonymousUser = AnonymousUser()
    elif viewer == "suspended":
        seen_by = jane
        Person.objects.filter(pk=jane.pk).update(is_active=False)
        seen_by.refresh_from_db()
    else:
        seen_by = factories.make_person("aud@secure.example")
        factories.make_staff(seen_by, RoleName.AUDITOR)

    assert directory.search("", viewer=seen_by).entries == ()
    assert directory.suggest("alice", viewer=seen_by) == []
    assert directory.find(EntryKind.PERSON, alice.pk, viewer=seen_by) is None


def test_staff_of_the_helpdesk_search(vera: Person, jane: Person) -> None:
    assert names(directory.search("oneill", viewer=vera)) == [jane.name]


def test_ex_directory_people_are_seen_by_their_own_administrators_only(
    alice: Person, bob: Person, charlie: Person
) -> None:
    people.edit(bob, is_ex_directory=True, by=alice)

    (entry,) = directory.search("bob", viewer=alice).entries
    assert not entry.is_published
    for viewer in (bob, charlie):
        assert names(directory.search("bob", viewer=viewer)) == []
        assert directory.suggest("bob", viewer=viewer) == []
        assert directory.find(EntryKind.PERSON, bob.pk, viewer=viewer) is None


def test_somebody_who_comes_back_into_the_directory_is_found(
    alice: Person, bob: Person, charlie: Person
) -> None:
    people.edit(bob, is_ex_directory=True, by=alice)
    people.edit(bob, is_ex_directory=False, by=alice)

    assert names(directory.search("bob", viewer=charlie)) == [bob.name]


def test_suspension_takes_people_out_and_resuming_brings_them_back(
    alice: Person, bob: Person
) -> None:
    people.suspend(bob, reason="Left", by=alice)
    assert names(directory.search("bob", viewer=alice)) == []

    people.resume(bob, by=alice)
    assert names(directory.search("bob", viewer=alice)) == [bob.name]


def test_a_suspended_organisation_goes_with_all_that_it_has(
    charlie: Person, alice: Person, northfield: Organisation
) -> None:
    factories.make_list("all@northfield.secure.example", northfield)
    organisations.suspend(northfield, reason="Unpaid", by=None)
    assert names(directory.search("northfield", viewer=charlie)) == []

    northfield.refresh_from_db()
    organisations.resume(northfield, by=None)
    assert names(directory.search("northfield", viewer=charlie)) == [
        "Alice",
        "All",
        "Northfield Court",
    ]


def test_a_renamed_organisation_is_found_by_its_new_name(
    charlie: Person, alice: Person, northfield: Organisation
) -> None:
    organisations.edit(northfield, name="Southfield Court", by=None)

    assert names(directory.search("southf", viewer=charlie)) == [
        "Alice",
        "Southfield Court",
    ]


def test_filters_narrow(
    charlie: Person, alice: Person, jane: Person, northfield: Organisation
) -> None:
    factories.make_list("all@northfield.secure.example", northfield)
    factories.make_group_mailbox("team@northfield.secure.example", northfield)
    organisations.edit(northfield, town="Milton Keynes", by=None)

    def found(text: str = "", **filters: object) -> list[str]:
        return names(directory.search(text, viewer=charlie, **filters))

    assert found(kinds=[EntryKind.LIST, EntryKind.GROUP_MAILBOX]) == ["All", "Team"]
    assert found(organisation=northfield.pk, kinds=[EntryKind.PERSON]) == ["Alice"]
    assert found("a", town="milton  keynes", kinds=[EntryKind.PERSON]) == ["Alice"]
    assert found("a", town="Milt", kinds=[EntryKind.PERSON]) == ["Alice"]
    assert found("a", town="keynes", kinds=[EntryKind.PERSON]) == []
    assert found(kind=Kind.COURT, kinds=[EntryKind.ORGANISATION]) == [northfield.name]
    assert found(town="Hull") == []


def test_pages_follow_each_other_by_last_name_and_miss_nothing(
    alice: Person, harbour: Organisation
) -> None:
    for number in range(30):
        factories.make_person(
            f"p{number}@harbour.secure.example",
            harbour,
            name=f"{chr(122 - number % 26)}ack Smith",
        )
    seen: list[str] = []
    after: str | None = None
    for _ in range(5):
        page = directory.search("smith", viewer=alice, after=after, limit=7)
        seen += names(page)
        after = page.next

    assert after is None
    assert len(seen) == 30
    assert seen == sorted(seen)


def test_the_total_is_counted_on_the_first_page_only(
    alice: Person, harbour: Organisation
) -> None:
    for number in range(8):
        factories.make_person(f"q{number}@harbour.secure.example", harbour)

    first = directory.search("q", viewer=alice, limit=5)
    rest = directory.search("q", viewer=alice, limit=5, after=first.next)

    assert (first.total, rest.total) == (8, None)
    assert len(rest.entries) == 3


def test_suggestions_begin_with_colleagues_and_hold_no_organisations(
    bob: Person, northfield: Organisation, harbour: Organisation
) -> None:
    factories.make_person("ann@harbour.secure.example", harbour, name="Sam Aaron")
    factories.make_person("zoe@northfield.secure.example", northfield, name="Sam Zadie")
    factories.make_organisation(name="Samaritans")

    found = [entry.name for entry in directory.suggest("sam", viewer=bob)]

    assert found == ["Sam Zadie", "Sam Aaron"]


def test_searching_and_suggesting_cost_few_queries(
    alice: Person, bob: Person, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(6):
        directory.search("bob", viewer=alice)
    with django_assert_max_num_queries(7):
        directory.suggest("bob", viewer=alice)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "9" * 40, "\u0661", "0 OR 1=1"])
def test_a_broken_cursor_begins_at_the_beginning(alice: Person, cursor: str) -> None:
    assert names(directory.search("alice", viewer=alice, after=cursor)) == ["Alice"]


@given(text=st.text(max_size=60) | st.text("\"'*():^={}-+&|!\\ \0aA@.<>", max_size=30))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_text_is_an_error_or_means_anything_to_the_database(
    alice: Person, text: str
) -> None:
    page = directory.search(text, viewer=alice, town=text)

    assert set(names(page)) <= {"Alice", "Northfield Court"}
    directory.suggest(text, viewer=alice)
