"""`manage.py note_backup`: the last line of the operator's backup script."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.health import backups


class Command(BaseCommand):
    help = "Note that a backup is done; without one for long, an alarm is raised."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        noted = backups.note()
        self.stdout.write(f"Noted: a backup was done at {noted:%d %B %Y, %H:%M} UTC.")
