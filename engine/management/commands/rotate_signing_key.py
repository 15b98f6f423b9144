"""`manage.py rotate_signing_key`: replaces keys that sign delivery certificates."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from engine.registry.actions import signing_keys
from engine.signing.models import CERTIFICATES, REPLACEABLE, Purpose


class Command(BaseCommand):
    """Makes new signing keys; the earlier ones stay published."""

    help = (
        "Replace the community's signing keys. Certificates that the earlier keys signed "
        "can still be verified: the earlier keys stay on the public list. --compromised "
        "says that others may have the earlier key, so that its signature proves nothing "
        "by itself any more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds which keys to replace, and why."""
        parser.add_argument(
            "--purpose",
            choices=list(REPLACEABLE),
            help=(
                "only the key of this purpose; without it, every key of certificates. "
                "web_push ends all notifications in browsers until they are opened again"
            ),
        )
        parser.add_argument("--compromised", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replaces the keys, and prints the new ones."""
        given = options["purpose"]
        for purpose in [Purpose(given)] if given else CERTIFICATES:
            made = signing_keys.replace(
                purpose, is_compromised=options["compromised"], by=None
            )
            self.stdout.write(f"{purpose.label} are now signed with {made.key_id}.")
