"""`manage.py run_web`: the site, until it is asked to stop."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from engine import processes
from engine.management import starting
from portal.serving.server import serve


class Command(BaseCommand):
    help = "Serve the site by HTTP."
    # They load every page of the site, and so does its first visitor.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        processes.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """One process, or as many as POSTERN_WEB_WORKERS says, on the same port."""
        if not options["alone"]:
            starting.check(scans=False)
        count = settings.POSTERN.web_workers
        processes.run("run_web", serve, count=count, options=options)
