"""`manage.py verify_audit`: verifies the audit trail by its checkpoints."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.timesince import timesince

from engine.audit.checkpoints import making, outside, signing_keys, verification
from engine.audit.models import ChainCheck


class Command(BaseCommand):
    """Verifies the audit chain; fails, and raises an alarm, where anything was changed."""

    help = (
        "Verify the audit trail by its checkpoints, of the database and of files, and name "
        "what was changed, deleted, rewritten or restored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds where checkpoints were kept, and the acceptance of a restore."""
        parser.add_argument(
            "--checkpoints",
            nargs="+",
            default=[],
            metavar="FILE",
            help="files of checkpoints that were kept out of reach; by default the one that "
            "this host appends to",
        )
        parser.add_argument(
            "--key",
            metavar="FILE",
            help="public keys in PEM, as `manage.py audit_key` printed them; by default "
            "those in the database are trusted",
        )
        parser.add_argument(
            "--accept-restore",
            action="store_true",
            help="sign that the checkpoints which contradict the trail belong to what an "
            "older backup has replaced; the trail and the next checkpoint say so",
        )

        parser.add_argument(
            "--append-again",
            action="store_true",
            help="append the checkpoints that this host's file has lost, and "
            "the database still has; the trail says so",
        )

    def handle(
        self,
        *,
        checkpoints: list[str],
        key: str | None,
        accept_restore: bool,
        append_again: bool,
        **_: object,
    ) -> None:
        """Prints the result. Raises CommandError with every problem."""
        files = checkpoints or verification.configured_files()
        try:
            keys = signing_keys.from_pem(Path(key).read_bytes()) if key else {}
            if accept_restore and (ids := verification.abandoned(files, keys)):
                making.accept_restore(ids)
                # Now, because only what is out of reach may abandon what is.
                outside.send_waiting()
                self.stdout.write(f"Checkpoints that were abandoned: {len(ids)}.")
            if append_again:
                count = outside.append_again()
                self.stdout.write(f"Checkpoints that were appended again: {count}.")
                files = checkpoints or verification.configured_files()
            check = verification.verify(files, keys)
        except (OSError, signing_keys.KeyFileError) as error:
            raise CommandError(f"{error} Nothing was verified.") from error
        self._write_doubts(files, keys)
        self._write_tail(check)
        if check.problems:
            found = "\n".join(
                f"  - {text}" for text in verification.described(check.problems)
            )
            raise CommandError(f"The audit trail does not hold:\n{found}")
        self.stdout.write(f"The audit chain is intact: {check.position} entries.")

    def _write_doubts(
        self, files: list[str], keys: Mapping[str, Ed25519PublicKey]
    ) -> None:
        doubtful = verification.doubtful_count(files, keys)
        if doubtful:
            self.stdout.write(
                f"{doubtful} checkpoint{'s are' if doubtful > 1 else ' is'} signed with a "
                "key that others may have, and prove nothing: only the database says that "
                "they are from before."
            )
        if not files:
            self.stdout.write(
                "Compared with the checkpoints of the database only. They prove nothing "
                "against one who has its secret key too: give --checkpoints and --key."
            )

    def _write_tail(self, check: ChainCheck) -> None:
        if check.proved_at is None:
            self.stdout.write(
                "No checkpoint proves any entry. The worker signs one every hour."
            )
            return
        self.stdout.write(
            f"Checkpoints prove {check.proved} entries, the last of "
            f"{check.proved_at:%-d %B %Y, %H:%M} UTC."
        )
        count, oldest = verification.unproved(check)
        if count and oldest is not None:
            age = timesince(oldest, timezone.now())
            self.stdout.write(
                f"The {count} since then are not proved yet; the oldest is {age} old."
            )
