"""`manage.py health`: the answer of /health/ready on hosts without a web process."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from engine.health import readiness


class Command(BaseCommand):
    """Prints the readiness of this host as JSON, and exits with 1 if it is not ready."""

    help = "Print whether this host is ready, as JSON; exit with 1 if it is not."
    # A probe runs every few seconds, and the system checks load every page of the site.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = readiness.check()
        self.stdout.write(json.dumps(found.document))
        if not found.is_ready:
            raise SystemExit(1)
