"""`manage.py rekey`, to be run after POSTERN_SECRET_KEY was changed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from portal.console.operations import secret_key_rotation


class Command(BaseCommand):
    """Re-encrypts with the current secret key what earlier ones protect."""

    help = (
        "Re-encrypts what earlier secret keys sealed, and reports what still depends on "
        "one of POSTERN_SECRET_KEY_FALLBACKS. First add the new key to the fallbacks of "
        "every host and restart it; then exchange the two keys on every host. The service "
        "keeps running throughout. A host that does not know the new key refuses what "
        "another host has protected with it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = secret_key_rotation.rekey()
        for finding in found:
            count = len(finding.earlier)
            self.stdout.write(
                f"{finding.what}: {finding.total}, on an earlier key {count}"
            )
            if count:
                self.stdout.write(f"  {finding.names}\n  {finding.advice}")
        self._conclude(any(finding.earlier for finding in found))

    def _conclude(self, hangs: bool) -> None:
        if not settings.SECRET_KEY_FALLBACKS and not hangs:
            self.stdout.write("POSTERN_SECRET_KEY_FALLBACKS is empty.")
            return
        self.stdout.write("Once the earlier key is removed:")
        for one in secret_key_rotation.remnants():
            days = one.ends_in.days if one.ends_in else 0
            until = f", for up to {days} days after the change" if days else ""
            self.stdout.write(f"  {one.what}{until}: {one.after}.")
        if hangs:
            self.stdout.write("Keep POSTERN_SECRET_KEY_FALLBACKS, and run this again.")
        else:
            self.stdout.write(
                "All stored data uses the present key. When you can do without the above, "
                "POSTERN_SECRET_KEY_FALLBACKS can be emptied."
            )
