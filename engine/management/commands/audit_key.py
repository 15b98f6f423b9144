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
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="others may have the present key: replace it, and let what it signed "
            "prove something only where it was kept out of reach or has a time stamp",
        )

    def handle(self, *, rotate: bool, compromised: bool, **_: object) -> None:
        """Prints the keys, the present one first."""
        signing_keys.current()
        if rotate or compromised:
            making.rotate_key(is_compromised=compromised)
        for key in signing_keys.all_keys():
            if signing_keys.own_half(key) is None:
                self.stdout.write(
                    f"# {key.key_id} is in the database, but this service's secret key has "
                    "not sealed it: do not trust it."
                )
                continue
            until = f" to {key.retired_at:%-d %B %Y}" if key.retired_at else ""
            until += ", compromised" if key.compromised_at else ""
            self.stdout.write(f"# {key.key_id}, from {key.made_at:%-d %B %Y}{until}")
            self.stdout.write(key.public_key.rstrip())
