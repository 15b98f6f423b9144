from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.registry import directory, tasks
from engine.registry.directory import index
from engine.registry.models import (
    DirectoryEntry,
    IndexPass,
    Kind,
    Organisation,
    OrganisationStatus,
    Person,
)
from tests import factories


def test_what_was_loaded_past_the_registry_is_found_after_rebuilding(
    bob: Person, harbour: Organisation
) -> None:
    Person.objects.bulk_create(
        [
            Person(
                address=f"{n}@harbour.secure.example",
                name="Sam Twin",
                organisation=harbour,
            )
            for n in range(3)
        ]
    )
    assert directory.search("twin", viewer=bob).total == 0

    output = StringIO()
    call_command("rebuild_directory", stdout=output)

    assert directory.search("twin", viewer=bob).total == 3
    assert str(DirectoryEntry.objects.count()) in output.getvalue()


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("is_published", [True, False])
def test_new_mailbox_leaves_the_entry_that_rebuilding_makes(
    harbour: Organisation, *, is_active: bool, is_published: bool
) -> None:
    person = factories.make_person("sam@harbour.secure.example", harbour)
    factories.make_mailbox(person, is_active=is_active, is_published=is_published)

    kept = _entries()
    call_command("rebuild_directory", stdout=StringIO())

    assert kept == _entries()
    assert len(kept) == (2 if is_active else 1)


def test_new_ordinary_mailbox_asks_nothing_of_the_directory(
    harbour: Organisation,
) -> None:
    person = factories.make_person("sam@harbour.secure.example", harbour)

    with CaptureQueriesContext(connection) as asked:
        factories.make_mailbox(person)

    assert not any("directoryentry" in one["sql"] for one in asked.captured_queries)


def test_new_rows_leave_the_entries_that_rebuilding_makes(db: None) -> None:
    town = {"town": "Leeds", "kind": Kind.COURT}
    court = factories.make_organisation(name="Leeds Court", **town)
    pending = factories.make_organisation(
        name="Bradford Court", status=OrganisationStatus.PENDING
    )
    factories.make_domain(court, "leeds.secure.example")
    for organisation in (court, pending, None):
        for is_active in (True, False):
            name = f"{organisation or 'nobody'}-{is_active}".replace(" ", "-").lower()
            over = {"is_active": is_active, "is_ex_directory": not is_active}
            address = f"{name}@leeds.secure.example"
            factories.make_person(address, organisation, **over)
            if organisation is not None:
                group = f"group-{address}"
                factories.make_group_mailbox(group, organisation, is_active=is_active)
                factories.make_list(
                    f"list-{address}", organisation, is_active=is_active
                )
    kept = _entries()
    call_command("rebuild_directory", stdout=StringIO())

    assert kept == _entries()
    assert [kind for _, kind, *_ in kept].count("person") == 1
    assert len(kept) == 4


def _entries() -> list[tuple[object, ...]]:
    fields = [one.attname for one in DirectoryEntry._meta.fields]
    return sorted(DirectoryEntry.objects.values_list(*fields))


def test_entries_folded_in_an_earlier_way_are_written_again_in_steps(
    bob: Person, harbour: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "REFOLDED", 2)
    for number, name in enumerate(
        ("Þóra Ħal", "Jane Smith", "Y\u0131ld\u0131z O’Brien")
    ):
        factories.make_person(f"{number}@harbour.secure.example", harbour, name=name)
    written = _entries()
    DirectoryEntry.objects.filter(name__endswith="Brien").update(words="of earlier")
    moved = DirectoryEntry.objects.get(name="Þóra Ħal")
    DirectoryEntry.objects.filter(pk=moved.pk).update(id=1, words="of earlier")
    IndexPass.objects.all().delete()

    steps = tasks.refold_directory()

    assert steps > 2
    assert sorted(entry[1:] for entry in _entries()) == sorted(e[1:] for e in written)
    assert directory.search("thora", viewer=bob).total == 1
    assert DirectoryEntry.objects.get(name="Þóra Ħal").pk > 1
    assert tasks.refold_directory() == 0
