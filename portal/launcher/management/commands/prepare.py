"""`manage.py prepare`: makes the database and this host ready for this release."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.secrets import state_folder
from portal.guides.bundled import loader
from portal.launcher import preparation


class Command(BaseCommand):
    """Migrates, collects static files and loads the guides; running it again is harmless."""

    help = (
        "Migrate the database, collect this host's static files and load the guides. Run it "
        "on each host after an installation or upgrade, on one after the other."
    )
    # The checks load every page of the site, which takes longer than everything else.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        state_folder.subfolder()
        migrated = preparation.migrate()
        collected = preparation.collect_static_files()
        guides = loader.load()
        self.stdout.write(
            f"{'Migrated' if migrated else 'Already migrated'}; static files "
            f"{'collected' if collected else 'already collected'}; "
            f"{len(guides)} guides added or updated."
        )
