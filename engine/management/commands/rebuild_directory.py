from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.registry.directory import index


class Command(BaseCommand):
    help = "Write the directory's index anew, after rows were loaded past the registry."

    def handle(self, *args: Any, **options: Any) -> None:
        count = index.rebuild()
        self.stdout.write(f"The directory lists {count} entries.")
