from __future__ import annotations

from io import StringIO

from django.core.management import call_command

from engine.registry import directory
from engine.registry.models import DirectoryEntry, Organisation, Person


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
