from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.registry import directory
from engine.registry.models import DirectoryEntry, Organisation, Person
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

    def entries() -> list[tuple[object, ...]]:
        return sorted(DirectoryEntry.objects.values_list("pk", "words", "is_published"))

    kept = entries()
    call_command("rebuild_directory", stdout=StringIO())

    assert kept == entries()
    assert len(kept) == (2 if is_active else 1)


def test_new_ordinary_mailbox_asks_nothing_of_the_directory(
    harbour: Organisation,
) -> None:
    person = factories.make_person("sam@harbour.secure.example", harbour)

    with CaptureQueriesContext(connection) as asked:
        factories.make_mailbox(person)

    assert not any("directoryentry" in one["sql"] for one in asked.captured_queries)
