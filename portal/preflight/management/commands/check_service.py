"""`manage.py check_service`: reports everything that is missing or wrong before a start."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import BaseCommand

from portal.preflight import (
    configuration_checks,
    dependency_checks,
    network_checks,
    results,
)
from portal.preflight.results import Result

CHECKS: tuple[Callable[[], Iterator[Result]], ...] = (
    configuration_checks.configuration,
    configuration_checks.state,
    configuration_checks.open_files,
    configuration_checks.certificate,
    dependency_checks.database,
    dependency_checks.shared_cache,
    dependency_checks.blob_store,
    dependency_checks.backup_target,
    dependency_checks.audit_checkpoints,
    dependency_checks.other_hosts,
    dependency_checks.scanners,
    dependency_checks.smart_host_port,
    network_checks.ports,
    network_checks.names,
    configuration_checks.static_files,
    configuration_checks.letters,
)


class Command(BaseCommand):
    """Prints a line for each check, and exits with 1 if any found a fault."""

    help = (
        "Check configuration, database, cache, blobs, virus scanner, certificate, ports, DNS, "
        "clock, disk, static files and letters. Each line is ok, a warning, or a fault "
        "with what to do. Exits with 1 if there is a fault."
    )
    # Django's own checks load every page of the site.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON instead")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [result for check in CHECKS for result in check()]
        show = results.as_json if options["json"] else results.as_lines
        self.stdout.write(show(found))
        if results.has_faults(found):
            raise SystemExit(1)
