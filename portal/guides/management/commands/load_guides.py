"""`manage.py load_guides`: loads the guides that come with the product."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.guides.bundled import loader
from portal.guides.bundled.guide_files import ContentError


class Command(BaseCommand):
    """Loads the bundled guides."""

    help = "Load new and changed guides. Pages that an editor changed are left alone."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = loader.load()
        except ContentError as error:
            raise CommandError(str(error)) from error
        for title in written:
            self.stdout.write(title)
        self.stdout.write(f"{len(written)} guides written.")
