"""`manage.py verify_certificate`: verifies a delivery certificate without any network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from engine.certificates import published_keys, verification
from engine.certificates.errors import NotVerifiedError
from engine.certificates.published_keys import KeyListError, PublishedKey

MAX_MESSAGE = 512 * 1024 * 1024  # octets


class Command(BaseCommand):
    """Verifies a certificate as PDF or JSON; fails with the reason where it is not genuine."""

    help = (
        "Verify a delivery certificate (PDF or JSON). With --keys, a list that was "
        "downloaded from the community's public address, it needs neither database nor "
        "network; without, it takes this installation's keys. --message compares a copy of "
        "the message with the digests."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the files."""
        parser.add_argument("file", type=Path, help="the certificate")
        parser.add_argument("--keys", type=Path, help="the community's public keys")
        parser.add_argument("--message", type=Path, help="a copy of the message")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verifies the file. Raises CommandError."""
        file = _read(options["file"], verification.MAX_OCTETS)
        try:
            found = verification.verify(file, _keys(options["keys"]))
        except NotVerifiedError as error:
            raise CommandError(f"NOT GENUINE. {error}") from error
        self.stdout.write(
            f"GENUINE. This {found.form} is as {_who(found.statement)} signed it."
        )
        for line in _lines(found.statement):
            self.stdout.write(line)
        if options["message"]:
            self._compare(found.statement, _read(options["message"], MAX_MESSAGE))

    def _compare(self, statement: dict[str, Any], message: bytes) -> None:
        results = verification.compare(statement, message)
        words = {True: "the same", False: "DIFFERENT", None: "not stated"}
        for name, result in results.items():
            self.stdout.write(f"The message's {name}: {words[result]}.")
        if results["header"] is False:
            self.stdout.write(
                "Its header may differ although it is the message: a copy in Sent names "
                "blind copies, and other servers add fields."
            )
        if results["body"] is False:
            raise CommandError("The message is not the one that was certified.")


def _keys(path: Path | None) -> list[PublishedKey]:
    if path is None:
        try:
            return published_keys.known()
        except DatabaseError as error:
            raise CommandError(
                "This installation's keys cannot be read. Give a list of the community's "
                f"public keys with --keys. ({error})"
            ) from error
    try:
        return published_keys.parse(_read(path, published_keys.MAX_OCTETS))
    except KeyListError as error:
        raise CommandError(f"{path}: {error}") from error


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(limit + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    if len(found) > limit:
        raise CommandError(f"{path} is larger than {limit} octets.")
    return found


def _who(statement: dict[str, Any]) -> str:
    community = statement["community"]
    return f"{community['name']} ({community['domain']})"


def _lines(statement: dict[str, Any]) -> list[str]:
    message, audit = statement["message"], statement["audit"]
    return [
        f"Certificate {statement['number']}, made {statement['made_at']}",
        f"for {statement['made_for']['name']}.",
        f"Message {message['reference']} from {message['sender'] or '<>'},",
        f"{message['size']} octets, accepted {message['accepted_at']}.",
        *(
            f"{one['address']}: {one['words']}, {one['at']}."
            for one in statement["recipients"]
        ),
        f"Entry {audit['position']} of the audit trail.",
        *_listed("Not stated:", statement["not_stated"]),
        *_listed("The certificate does not prove:", statement["not_claimed"]),
    ]


def _listed(heading: str, texts: list[str]) -> list[str]:
    return [heading, *(f"- {text}" for text in texts)] if texts else []
