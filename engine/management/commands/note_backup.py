"""`manage.py note_backup`: the last line of the operator's backup script."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.health.checks import backups


class Command(BaseCommand):
    """Records a completed backup, for the alarm that the last one is too old."""

    help = (
        "Record that a backup was completed. An alarm is raised if none is recorded for "
        "POSTERN_BACKUP_HOURS."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        noted = backups.note()
        self.stdout.write(f"Recorded a backup at {noted:%d %B %Y, %H:%M} UTC.")
