"""`manage.py found_community`: creates the operator's organisation and first operator."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from engine.registry.errors import PolicyError
from onboarding import signed_links
from onboarding.provisioning import bootstrap


class Command(BaseCommand):
    """Creates a community's operator and prints the link to the first sign-in."""

    help = (
        "Found a community: create its operator's organisation, the addresses helpdesk@, "
        "postmaster@, notices@, abuse@ and security@, and the first operator, who can add "
        "everybody else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the facts about the operator."""
        parser.add_argument("--organisation", required=True, help="the operator's name")
        parser.add_argument("--name", required=True, help="the first operator's name")
        parser.add_argument(
            "--local-part", required=True, help="what precedes the @ in their address"
        )
        parser.add_argument(
            "--everyday-address", required=True, help="their address for notices"
        )

    def handle(self, **options: str) -> None:
        """Creates the community. Raises CommandError if it exists already."""
        try:
            person = bootstrap.create_community(
                organisation_name=options["organisation"],
                local_part=options["local_part"],
                name=options["name"],
                everyday_address=options["everyday_address"],
            )
        except PolicyError as refusal:
            raise CommandError(str(refusal)) from refusal
        token = signed_links.first_sign_in_token(person)
        self.stdout.write(
            f"{person.address} is an operator. To choose a password, open this link"
        )
        self.stdout.write(signed_links.absolute_url("onboarding:first_sign_in", token))
        self.stdout.write("within 7 days. The next step is to set up a second factor.")
