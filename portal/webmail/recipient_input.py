"""Parses recipients as people type them, and explains why one cannot be written to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.errors import MailError
from engine.routing import policies, routes
from engine.routing.routes import Routes

# Recipients of one message.
LIMIT = 200

# Commas and semicolons separate recipients, except in quotes. The quantifiers are
# possessive, so that no input makes the match backtrack.
_ENTRY = re.compile(r"(?:\"(?:[^\"\\]|\\.)*+\"|[^,;\"]|\")++")
# A name with one of these is written in quotes, as in `"Finch, Jane" <jane@firm.example>`.
_SPECIAL = re.compile(r"[,;\"\\]")
_SPECIAL_IN_QUOTES = re.compile(r"[\"\\]")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_BRACKETED = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_NAMED = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>]*)>\s*")


@dataclass(slots=True)
class ParsedRecipients:
    """The recipients in one field, and an error for each entry that is no address."""

    recipients: list[NamedAddress] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def parse_recipients(text: str) -> ParsedRecipients:
    """Parses a line such as `Jane <jane@firm.example>, bob@harbour.example`.

    Entries are separated by commas or semicolons outside double quotes.
    """
    found = ParsedRecipients()
    for entry in filter(None, (e.strip() for e in _ENTRY.findall(text))):
        named = _NAMED.fullmatch(entry)
        address = named["address"].strip() if named else entry
        name = _unquoted(named["name"]) if named else ""
        try:
            found.recipients.append(NamedAddress(name, Address.parse(address)))
        except InvalidAddressError:
            found.errors.append(
                f"{entry[:100]} is not an address. Write one like name@court.example"
            )
    return found


def format_recipients(named: Iterable[NamedAddress]) -> str:
    """Formats recipients as someone would type them: the inverse of `parse_recipients`."""
    return ", ".join(map(_format, named))


def _format(named: NamedAddress) -> str:
    name = "".join(c for c in named.name if c not in "<>").strip()
    if not name:
        return str(named.address)
    if _SPECIAL.search(name):
        name = '"{}"'.format(_SPECIAL_IN_QUOTES.sub(r"\\\g<0>", name))
    return f"{name} <{named.address}>"


def _unquoted(name: str) -> str:
    quoted = _QUOTED.fullmatch(name.strip())
    return _QUOTED_PAIR.sub(r"\1", quoted[1]).strip() if quoted else name.strip('" ')


def reply_text(error: MailError) -> str:
    """Returns the text of an SMTP reply without angle brackets round addresses."""
    return strip_brackets(error.reply.text)


def strip_brackets(text: str) -> str:
    """Removes the angle brackets round addresses."""
    return _BRACKETED.sub(r"\1", text)


def refusal_reasons(recipients: list[NamedAddress], *, sender: Address) -> list[str]:
    """Returns a sentence for each recipient that `sender` may not write to."""
    refused: list[str] = []
    for known in routes.tries():
        refused = _refused(known, recipients, sender)
        if not refused:
            break
    return refused


def _refused(
    known: Routes, recipients: list[NamedAddress], sender: Address
) -> list[str]:
    refused = []
    for recipient in recipients:
        try:
            route = known.resolve(recipient.address)
            policies.check_can_reach(known, route, sender=sender)
        except MailError as error:
            refused.append(reply_text(error))
    return refused
