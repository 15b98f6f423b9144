from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.registry.directory import index


class Command(BaseCommand):
    help = "Rebuild the directory's index, after rows were loaded without the registry's actions."

    def handle(self, *args: Any, **options: Any) -> None:
        count = index.rebuild()
        self.stdout.write(f"The directory lists {count} entries.")
