"""`manage.py run_engine`: serves SMTP and POP3 and delivers the queue until SIGTERM."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from engine.management import startup_checks
from engine.management.engine_process import run_engine
from engine.processes import process_group


class Command(BaseCommand):
    """Runs one process, or POSTERN_ENGINE_PROCESSES of them on the same ports."""

    help = "Run the mail engine: SMTP, POP3 and the queue."
    # The checks load every page of the site, and would double the time of each restart.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        process_group.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["alone"]:
            startup_checks.check(scans=True)
        count = settings.POSTERN.engine_processes
        process_group.run("run_engine", run_engine, count=count, options=options)
