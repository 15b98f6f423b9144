"""`manage.py destroy_key`: makes the mail of an organisation that has left unreadable."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.encryption import destruction
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation


class Command(BaseCommand):
    """Destroys the key of a closed organisation, with an entry in the audit trail."""

    help = (
        "Destroy the key of a closed organisation. Nobody can read its copies of encrypted "
        "mail again; other organisations' copies stay readable. Backups made before hold "
        "the key, wrapped, until they are deleted. This cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organisation", type=int, metavar="ID")
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(pk=options["organisation"]).first()
        if organisation is None:
            raise CommandError("There is no organisation with this id.")
        try:
            destruction.destroy(organisation, reason=options["reason"], by=None)
        except PolicyError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The key of {organisation} is destroyed.")
