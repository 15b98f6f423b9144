"""`manage.py run_web`: serves the site until it is stopped."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import get_resolver

from engine.management import startup_checks
from engine.processes import process_group
from portal.serving.server import serve


class Command(BaseCommand):
    """Serves the site."""

    help = "Serve the site over HTTP."
    # System checks import every page of the site, and so does `handle`.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        process_group.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs POSTERN_WEB_WORKERS processes on the same port."""
        if not options["alone"]:
            startup_checks.check(scans=False)
        _import_pages()
        count = settings.POSTERN.web_workers
        process_group.run("run_web", serve, count=count, options=options)


def _import_pages() -> None:
    """Imports every page before the port opens.

    The routes are read from then on, those of half a million people for seconds, and the
    first request would share the interpreter with them.
    """
    _ = get_resolver().url_patterns
