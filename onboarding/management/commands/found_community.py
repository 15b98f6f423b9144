from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from engine.registry.errors import PolicyError
from onboarding import founding, links


class Command(BaseCommand):
    help = (
        "Found a community: its operator's organisation, helpdesk@, postmaster@ and "
        "notices@, and the first operator, who can let everybody else in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", required=True, help="the operator's name")
        parser.add_argument("--name", required=True, help="the first operator's name")
        parser.add_argument(
            "--local-part", required=True, help="of their address in the community"
        )
        parser.add_argument(
            "--everyday-address", required=True, help="where notices reach them"
        )

    def handle(self, **options: str) -> None:
        try:
            person = founding.found(
                organisation_name=options["organisation"],
                local_part=options["local_part"],
                name=options["name"],
                everyday_address=options["everyday_address"],
            )
        except PolicyError as refusal:
            raise CommandError(str(refusal)) from refusal
        token = links.first_sign_in_token(person)
        self.stdout.write(
            f"{person.address} is an operator. To choose a password, open"
        )
        self.stdout.write(links.absolute("onboarding:first_sign_in", token))
        self.stdout.write("within 7 days. A second factor is asked for after that.")
