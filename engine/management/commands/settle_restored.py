"""`manage.py settle_restored`: decides about mail that is held after a restore."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from engine.queue import operator_actions


class Command(BaseCommand):
    """Sends all of it, or drops all of it without notifying its senders."""

    help = (
        "Release or drop all mail that is held because it may have been sent already."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument("--release", action="store_true", help="send it again")
        choice.add_argument("--drop", action="store_true", help="never send it")

    def handle(self, *args: Any, **options: Any) -> None:
        is_dropped = options["drop"]
        count = operator_actions.settle_restored(is_dropped=is_dropped, by=None)
        done = "dropped" if is_dropped else "released"
        self.stdout.write(f"{count} recipients were {done}.")
