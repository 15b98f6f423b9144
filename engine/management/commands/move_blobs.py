"""`manage.py move_blobs`: moves what is in the second store to the first."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from engine.blobs import moving, store
from engine.blobs.interface import BlobStoreError, Kind
from engine.blobs.moving import Moved
from engine.blobs.paired_store import PairedStore
from engine.database import clock
from engine.health.models import Heartbeat

REPORT_SECONDS = 10.0


class Command(BaseCommand):
    """Moves every blob, verified, with mail flowing."""

    help = (
        "Move bodies, quarantine, letters, exports and pictures from the store in "
        "POSTERN_BLOB_SECOND_URL to the one in POSTERN_BLOB_URL. Mail keeps flowing: "
        "processes write to the first store and read from both. Each blob is read back "
        "and compared before it is deleted from the second. A run that was stopped is "
        "repeated. Before it: (1) set the new store as POSTERN_BLOB_SECOND_URL on every "
        "host and restart them one by one; (2) exchange the two variables on every host "
        "and restart them one by one; (3) run this command, on a host that has the files "
        "if one of the two is files; (4) unset POSTERN_BLOB_SECOND_URL and restart."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        pair = store.configured()
        if not isinstance(pair, PairedStore):
            raise CommandError(
                "Nothing to move: set POSTERN_BLOB_SECOND_URL to the store that is to be "
                "emptied (files, or s3://…), and POSTERN_BLOB_URL to the other."
            )
        if settings.POSTERN.blob_url == settings.POSTERN.blob_second_url:
            raise CommandError("POSTERN_BLOB_URL and _SECOND_URL are the same store.")
        self._check_processes()
        damaged = []
        for kind in Kind:
            try:
                damaged += self._move(kind, pair)
            except BlobStoreError as error:
                raise CommandError(f"{error} Run the command again.") from error
        if damaged:
            raise CommandError(
                "These are not what their keys say, and stay in the second store: "
                f"{', '.join(damaged[:20])} ({len(damaged)} in all). Restore them from a "
                "backup."
            )
        self.stdout.write(
            "Everything is moved. Unset POSTERN_BLOB_SECOND_URL on every host."
        )

    def _check_processes(self) -> None:
        """Refuses while a process runs that does not know both stores, in this order."""
        ours = store.identities()
        others = {
            str(beat)
            for beat in Heartbeat.objects.alive(clock.now())
            if (beat.facts.get("blobs_in"), beat.facts.get("blobs_also_in")) != ours
        }
        if others:
            raise CommandError(
                f"{', '.join(sorted(others))} would not find what is moved, or would go on "
                "writing where it is moved from. Set both variables as they are here, and "
                "restart it first."
            )

    def _move(self, kind: Kind, pair: PairedStore) -> list[str]:
        reported_at = time.monotonic()

        def report(moved: Moved) -> None:
            nonlocal reported_at
            if time.monotonic() - reported_at > REPORT_SECONDS:
                self._say(kind, moved)
                reported_at = time.monotonic()

        moved = moving.move(kind, source=pair.second, target=pair.first, report=report)
        self._say(kind, moved)
        return [f"{kind}/{key}" for key in moved.damaged]

    def _say(self, kind: Kind, moved: Moved) -> None:
        self.stdout.write(f"{kind}: {moved.count} moved, {moved.octets} octets")
