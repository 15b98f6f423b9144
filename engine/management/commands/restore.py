"""`manage.py restore`: restores a backup into an empty host."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from engine.audit.record import BrokenChainError
from engine.backups import restoring, targets
from engine.backups.manifest import BackupError
from engine.secrets import state_folder

SHOWN = 20  # losses that are printed; the file has all


class Command(BaseCommand):
    """Restores the database and the blobs, and says what could not be restored."""

    help = "Restore a backup into an empty database and an empty blob store."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "source",
            nargs="?",
            default="",
            help="the folder that keeps the backups; else POSTERN_BACKUP_TARGET",
        )
        parser.add_argument("--name", default="", help="which one; else the newest")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            target = targets.open_target(options["source"])
            result = restoring.restore(target, options["name"])
        except BackupError as error:
            raise CommandError(f"Not restored: {error} {error.advice}") from error
        except (OSError, DatabaseError) as error:
            raise CommandError(
                f"The restore stopped: {error} Run it again: it goes on with the blobs "
                "where it stopped. If it refuses because the database is not empty, drop "
                "that first."
            ) from error
        except BrokenChainError as error:
            raise CommandError(
                f"{error} The backup's audit trail was changed before it was made. Keep "
                "this database for the investigation, and restore an earlier backup."
            ) from error
        self._report(result)

    def _report(self, result: restoring.Result) -> None:
        manifest = result.manifest
        self.stdout.write(
            f"Restored backup {manifest.name}, taken at {manifest.taken_at}: "
            f"{manifest.counts['storage_message']} messages, {result.blobs} blobs. The "
            f"audit chain is intact: {result.audit_entries} entries."
        )
        if result.held:
            self.stdout.write(
                f"{result.held} recipients of outgoing mail are held, because it may have "
                "been sent already. Release or drop them in the console's queue, or all "
                "of them with postern settle-restored."
            )
        if result.losses:
            path = state_folder.subfolder() / f"restore-{manifest.name}.txt"
            state_folder.write_atomically(path, "\n".join(result.losses).encode())
            shown = "\n".join(result.losses[:SHOWN])
            self.stdout.write(
                f"{len(result.losses)} were not restored; {path} names all:\n{shown}"
            )
        self.stdout.write(
            "All sessions and links have ended. What was revoked since the backup is "
            "valid again: revoke it again."
        )
