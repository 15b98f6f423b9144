"""`manage.py audit_key`: exports and rotates the key that signs the audit trail."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from engine.audit.checkpoints import making, signing_keys


class Command(BaseCommand):
    """Prints the public keys of checkpoints in PEM; makes the next key where told to."""

    help = (
        "Print the public keys that verify checkpoints of the audit trail, in PEM. Keep "
        "them out of reach of those who run the service."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the rotation."""
        parser.add_argument(
            "--rotate",
            action="store_true",
            help="sign from now on with a new key; earlier ones still verify",
        )

    def handle(self, *, rotate: bool, **_: object) -> None:
        """Prints the keys, the present one first."""
        signing_keys.current()
        if rotate:
            making.rotate_key()
        for key in signing_keys.all_keys():
            until = f" to {key.retired_at:%-d %B %Y}" if key.retired_at else ""
            self.stdout.write(f"# {key.key_id}, from {key.made_at:%-d %B %Y}{until}")
            self.stdout.write(key.public_key.rstrip())
