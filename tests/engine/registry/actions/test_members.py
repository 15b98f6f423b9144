from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.audit.checkpoints.verification import verify_chain
from engine.audit.models import Entry
from engine.registry.actions import members, organisations, people
from engine.registry.models import (
    Change,
    DirectoryEntry,
    Mailbox,
    Organisation,
    Person,
    RecoveryAddressChange,
)

pytestmark = pytest.mark.django_db

ROWS: list[members.NewMember] = [
    {"address": "jo@northfield.secure.example", "name": "Jo Field", "town": "Hull"},
    {
        "address": "ann@northfield.secure.example",
        "name": "Ann Hill",
        "is_ex_directory": True,
        "everyday_address": "ann@home.example",
    },
]


def state(address: str) -> dict[str, Any]:
    """Returns what is stored of a person, without ids, times and digests."""
    person = Person.objects.get(address=address)
    mailbox = Mailbox.objects.filter(owner=person)
    entry = DirectoryEntry.objects.filter(kind="person", row_id=person.pk)
    audited = Entry.objects.filter(event="person.added", subject_name=address)
    changes = RecoveryAddressChange.objects.filter(person=person)
    return {
        "details": (person.name, person.town, person.has_usable_password()),
        "mailbox": list(mailbox.values("address", "name", "kind", "is_published")),
        "entry": list(entry.values("name", "town", "is_published", "words")),
        "audit": list(audited.values("organisation_key", "by_name", "detail")),
        "recovery": list(changes.values("new", "is_first", "requested_by_name")),
        "logged": [
            Change.objects.filter(kind=kind, row_id=row.pk).exists()
            for kind, row in (("person", person), ("mailbox", mailbox.get()))
        ],
    }


def test_what_is_stored_is_what_adding_each_stores(
    northfield: Organisation, alice: Person
) -> None:
    members.add(northfield, ROWS, by=alice)
    at_once = [state(row["address"]) for row in ROWS]
    Mailbox.objects.exclude(owner=alice).delete()
    Person.objects.filter(address__in=[row["address"] for row in ROWS]).delete()
    Entry.objects.filter(event="person.added").update(subject_name="before")
    for row in ROWS:
        people.add(northfield, **row, by=alice)

    assert at_once == [state(row["address"]) for row in ROWS]


def test_a_taken_address_and_a_misleading_name_are_refused_alone(
    northfield: Organisation, bob: Person
) -> None:
    refused: list[members.NewMember] = [
        {"address": bob.address, "name": "Another Bob"},
        {"address": "help@northfield.secure.example", "name": "IT Helpdesk"},
        {"address": "jo@harbour.secure.example", "name": "Jo"},
        {"address": "jo@northfield.secure.example", "name": "Jo again"},
    ]

    added = members.add(northfield, [ROWS[0], *refused], by=None)

    assert [one.name for one in added.people] == ["Jo Field"]
    assert [fault.split(" ")[0] for fault in added.faults] == [
        bob.address,
        "“IT",
        "jo@harbour.secure.example",
        "jo@northfield.secure.example",
    ]


def test_people_of_a_suspended_organisation_are_not_listed(
    northfield: Organisation,
) -> None:
    organisations.suspend(northfield, reason="Asked.", by=None)

    members.add(northfield, ROWS, by=None)

    assert not DirectoryEntry.objects.filter(name="Jo Field").exists()


def test_the_chain_of_the_audit_trail_holds(northfield: Organisation) -> None:
    members.add(northfield, ROWS, by=None)
    members.add(northfield, [], by=None)

    assert verify_chain() == Entry.objects.count()


def test_more_people_take_no_more_statements(northfield: Organisation) -> None:
    def statements(first: int, count: int) -> int:
        rows: list[members.NewMember] = [
            {"address": f"p{n}@northfield.secure.example", "name": f"Person {n}"}
            for n in range(first, first + count)
        ]
        with CaptureQueriesContext(connection) as captured:
            members.add(northfield, rows, by=None)
        return len(captured)

    assert statements(0, 20) <= statements(100, 2)
