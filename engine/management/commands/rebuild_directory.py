"""`manage.py rebuild_directory`: repairs the directory's index after a bulk load."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.registry.directory import index


class Command(BaseCommand):
    """Rebuilds the index of the directory from the registry."""

    help = (
        "Rebuild the directory's index. Needed after people or mailboxes were written to "
        "the database directly."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = index.rebuild()
        self.stdout.write(f"The directory lists {count} entries.")
