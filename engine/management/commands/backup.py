"""`manage.py backup`: backs the database and the blob store up while they serve."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from engine.backups import creation, problems, targets
from engine.backups.manifest import BackupError, Manifest
from engine.blobs.deletion_pause import PauseLostError
from engine.blobs.interface import BlobStoreError
from engine.health.checks import backups


class Command(BaseCommand):
    """Makes a backup, and records that or why it failed.

    Exits with 1 after a failure and where the backup lacks blobs.
    """

    help = "Back the database and the blob store up while the service runs."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target",
            nargs="?",
            default="",
            help="the folder that keeps the backups; else POSTERN_BACKUP_TARGET",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = creation.create(targets.open_target(options["target"]))
        except (BackupError, PauseLostError, OSError, DatabaseError) as error:
            raise CommandError(_failed(error)) from error
        manifest = result.manifest
        backups.note()
        self.stdout.write(
            f"Backup {manifest.name}: {manifest.counts['storage_message']} messages, "
            f"{manifest.blobs} blobs of {manifest.octets} octets, of which "
            f"{result.copied} were copied now."
        )
        if manifest.is_whole:
            problems.clear()
            return
        text = _incomplete(manifest)
        problems.record(text, is_permanent=True)
        raise CommandError(text)


def _failed(error: Exception) -> str:
    """Records the failure where the database can be reached, and describes it."""
    is_permanent = (
        isinstance(error, BackupError | BlobStoreError) and error.is_permanent
    )
    advice = (
        "Repeating it does not help: resolve the cause first."
        if is_permanent
        else "Run it again: it goes on where it stopped."
    )
    text = f"The backup failed: {error} {advice}"
    try:
        problems.record(text, is_permanent=is_permanent)
    except DatabaseError as unreachable:
        text += f" No alarm could be raised: {unreachable}"
    return text


def _incomplete(manifest: Manifest) -> str:
    return (
        f"The blob store has lost {manifest.missing} blobs, and {manifest.damaged} are "
        f"damaged, so that backup {manifest.name} is not whole. Its log names them."
    )
