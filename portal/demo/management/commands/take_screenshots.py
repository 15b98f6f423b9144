"""`manage.py take_screenshots`: takes the pictures of the guides and of README.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.demo.recording import screenshots
from portal.demo.recording.script_player import browser
from portal.demo.recording.temporary_site import temporary_site


class Command(BaseCommand):
    """Takes pictures of a fresh demo community, all or by name."""

    help = (
        "Take the pictures of the guides and of README.md in a fresh demo community. "
        "Needs Chromium and the test packages."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the names of pictures."""
        parser.add_argument("names", nargs="*", help="take only these; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        """Takes the pictures and prints their names."""
        names = options["names"]
        wanted = [
            shot for shot in screenshots.shots() if not names or shot.name in names
        ]
        with temporary_site() as site, browser() as chromium:
            for name in screenshots.take(chromium, site, wanted):
                self.stdout.write(name)
