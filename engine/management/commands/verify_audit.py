"""`manage.py verify_audit`: recomputes the hash chain of the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from engine.audit.record import BrokenChainError, verify_chain


class Command(BaseCommand):
    """Verifies the audit chain; fails with the first entry that breaks it."""

    help = "Verify the audit chain, and print its length or the entry that breaks it."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = verify_chain()
        except BrokenChainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The audit chain is intact: {count} entries.")
