"""`manage.py encrypt_mail`: encrypts what was stored before POSTERN_ENCRYPTION was set."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from engine.storage import encrypting


class Command(BaseCommand):
    """Encrypts stored mail while the service runs, and says what is left."""

    help = (
        "Encrypt mail that was stored before POSTERN_ENCRYPTION was switched on. First "
        "switch it on, on every host. The service keeps running; interrupted, the command "
        "does the rest when it is run again. Mail of the last hour and mail that is still "
        "being delivered is left: run it again later. Files that held unencrypted bodies "
        "are deleted within a day."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.POSTERN.encryption:
            raise CommandError("First set POSTERN_ENCRYPTION=true on every host.")
        count = sum(encrypting.encrypt_all())
        self.stdout.write(
            f"Encrypted {count} messages and files; {encrypting.waiting()} are not "
            "encrypted yet."
        )
