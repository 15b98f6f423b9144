"""`manage.py render_videos`: records the video guides in a fresh demo community."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.demo.recording.script_player import browser
from portal.demo.recording.temporary_site import temporary_site
from portal.demo.recording.videos import shoot
from portal.guides.bundled import videos


class Command(BaseCommand):
    """Records the video guides, all or by name."""

    help = "Record the video guides. Needs ffmpeg, Chromium and the test packages."

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the names of videos."""
        parser.add_argument("names", nargs="*", help="record only these; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        """Records the videos and prints their lengths."""
        with temporary_site() as site, browser() as chromium:
            for name in options["names"] or videos.names():
                shoot(chromium, site, videos.film(name))
                self.stdout.write(f"{name}: {videos.film(name).length}")
