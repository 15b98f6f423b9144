"""`manage.py render_videos`: film the video guides again in a fresh demo community."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.demo.film.player import browser
from portal.demo.film.reel import shoot
from portal.demo.film.stage import stage
from portal.guides.bundled import videos


class Command(BaseCommand):
    help = "Film the video guides anew. Needs ffmpeg, Chromium and the test packages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", help="only these; otherwise all")

    def handle(self, *args: Any, **options: Any) -> None:
        with stage() as opened, browser() as chromium:
            for name in options["names"] or videos.names():
                shoot(chromium, opened, videos.film(name))
                self.stdout.write(f"{name}: {videos.film(name).length}")
