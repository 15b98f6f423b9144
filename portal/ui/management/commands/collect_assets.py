"""`manage.py collect_assets`: copies the front-end assets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.ui import asset_collector


class Command(BaseCommand):
    """Copies front-end files from node_modules to where the website serves them."""

    help = (
        "Copies the front-end parts the pages need from node_modules into POSTERN_VAR."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            copied = asset_collector.collect(
                settings.BASE_DIR / "node_modules", settings.POSTERN.path("assets")
            )
        except asset_collector.MissingPackagesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{len(copied)} files collected.")
