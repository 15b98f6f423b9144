"""`manage.py retry_automatic_mail`: sends what was given up, once its cause is resolved."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.queue.automatic_mail import forwards_and_replies


class Command(BaseCommand):
    """Retries all automatic replies and forwards that were given up."""

    help = "Retry the automatic replies and forwards that were given up."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        count = forwards_and_replies.retry_set_aside(by=None)
        self.stdout.write(f"{count} automatic replies and forwards are retried.")
