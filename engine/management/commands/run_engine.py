"""`manage.py run_engine`: SMTP, POP3 and the queue, until it is told to stop."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from engine.management import starting
from engine.management.engine import run_engine
from engine.processes import process_group


class Command(BaseCommand):
    help = "Run the mail engine: SMTP, POP3 and the queue."
    # They load every page of the site: mail would wait twice as long after each restart.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        process_group.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """One process, or as many as POSTERN_ENGINE_PROCESSES says, on the same ports."""
        if not options["alone"]:
            starting.check(scans=True)
        count = settings.POSTERN.engine_processes
        process_group.run("run_engine", run_engine, count=count, options=options)
