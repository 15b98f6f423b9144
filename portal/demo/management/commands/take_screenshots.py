"""`manage.py take_screenshots`: the guides' pictures again, from a fresh demo community."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.demo.film import shots
from portal.demo.film.player import browser
from portal.demo.film.stage import stage


class Command(BaseCommand):
    help = "Take the guides' pictures anew. Needs Chromium and the test packages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", help="only these; otherwise all")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["names"]
        wanted = [shot for shot in shots.shots() if not names or shot.name in names]
        with stage() as opened, browser() as chromium:
            for name in shots.take(chromium, opened, wanted):
                self.stdout.write(name)
