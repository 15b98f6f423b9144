"""`manage.py rekey`: after POSTERN_SECRET_KEY was changed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from portal.console import rekeying


class Command(BaseCommand):
    help = (
        "Give what earlier secret keys sealed the key of now, and say what still hangs "
        "on one of POSTERN_SECRET_KEY_FALLBACKS."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = rekeying.rekey()
        for finding in found:
            count = len(finding.earlier)
            self.stdout.write(
                f"{finding.what}: {finding.total}, on an earlier key {count}"
            )
            if count:
                self.stdout.write(f"  {finding.names}\n  {finding.advice}")
        self._conclude(any(finding.earlier for finding in found))

    def _conclude(self, hangs: bool) -> None:
        days = rekeying.longest_link().days
        self.stdout.write(
            f"Links that were mailed before the key changed open for up to {days} days "
            "after that, and answers to the helpdesk's messages find their tickets for as "
            "long as the earlier key is kept."
        )
        if hangs:
            self.stdout.write("Keep POSTERN_SECRET_KEY_FALLBACKS, and run this again.")
        elif settings.SECRET_KEY_FALLBACKS:
            self.stdout.write(
                "Nothing else hangs on an earlier key. Once those links have ended, "
                "POSTERN_SECRET_KEY_FALLBACKS can be emptied."
            )
        else:
            self.stdout.write("POSTERN_SECRET_KEY_FALLBACKS is empty.")
