"""`manage.py rotate_keys`: changes the master key, or the keys of organisations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.encryption import rotation
from engine.encryption.models import COMMUNITY, OrganisationKey


class Command(BaseCommand):
    """Wraps keys again; interrupted, it goes on where it was when it is run again."""

    help = (
        "Wrap keys again, while the service runs. --master: after the master key was "
        "changed on every host, with the earlier one in POSTERN_MASTER_KEY_FALLBACK_FILES "
        "or POSTERN_MASTER_KEY_FALLBACKS, which can be emptied afterwards. --organisation: "
        "make a new key for an organisation (0 is the community's own) and wrap by it what "
        "the earlier one wraps. Run again after an interruption, it does the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--master", action="store_true")
        which.add_argument("--organisation", type=int, metavar="ID")
        parser.add_argument(
            "--everything",
            action="store_true",
            help="with --master: also what the present key wraps, as after a change of the "
            "key within a KMS",
        )
        parser.add_argument(
            "--continue",
            action="store_true",
            dest="goes_on",
            help="with --organisation: finish the last rotation, without a new key",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["master"]:
            count = rotation.rewrap_by_master(everything=options["everything"])
            self.stdout.write(f"The master key now wraps {count} keys more.")
            return
        organisation_id = options["organisation"]
        held = OrganisationKey.objects.filter(organisation_id=organisation_id)
        if not held.exists() or held.order_by("version").last().destroyed_at:  # type: ignore[union-attr]
            raise CommandError(f"Organisation {organisation_id} has no key.")
        if not options["goes_on"]:
            rotation.renew(organisation_id, by=None)
        count = sum(rotation.rewrap(organisation_id))
        name = "the community" if organisation_id == COMMUNITY else "the organisation"
        self.stdout.write(f"The new key of {name} now wraps {count} keys more.")
