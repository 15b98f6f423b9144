"""`manage.py retry_errands`: once the fault is gone that forwards and replies failed by."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from engine.queue.automatic_mail import forwards_and_replies


class Command(BaseCommand):
    help = "Try the automatic replies and forwards again that were given up."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(
            f"{forwards_and_replies.retry_set_aside(by=None)} are tried again."
        )
