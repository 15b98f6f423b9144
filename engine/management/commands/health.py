"""`manage.py health`: for hosts that run no web process, what /health/ready says."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from engine.health import readiness


class Command(BaseCommand):
    help = "Print whether this host can do its work; exits with 1 where it cannot."
    # A probe runs every few seconds; the checks load every page of the site.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = readiness.look()
        self.stdout.write(json.dumps(found.document))
        if not found.is_ready:
            raise SystemExit(1)
