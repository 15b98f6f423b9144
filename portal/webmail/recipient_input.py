"""Recipients as people type them, and whether each may be written to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.errors import MailError
from engine.routing import policies, routes

LIMIT = 200

# Commas and semicolons part recipients, unless they stand in quotes.
_ENTRY = re.compile(r"(?:\"(?:[^\"\\]|\\.)*+\"|[^,;\"]|\")++")
_BRACKETED = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_NAMED = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>]*)>\s*")


@dataclass(slots=True)
class Typed:
    """What one field holds: recipients, and what is wrong with the others."""

    recipients: list[NamedAddress] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def read(text: str) -> Typed:
    """Read a line such as `Jane <jane@firm.example>, bob@harbour.example`."""
    found = Typed()
    for entry in filter(None, (e.strip() for e in _ENTRY.findall(text))):
        named = _NAMED.fullmatch(entry)
        address = named["address"].strip() if named else entry
        name = named["name"].strip('" ') if named else ""
        try:
            found.recipients.append(NamedAddress(name, Address.parse(address)))
        except InvalidAddressError:
            found.errors.append(
                f"{entry[:100]} is not an address. Write one like name@court.example"
            )
    return found


def typed(named: Iterable[NamedAddress]) -> str:
    """Recipients as somebody would type them; `read` gives the same ones back."""
    return ", ".join(map(_as_typed, named))


def _as_typed(named: NamedAddress) -> str:
    name = "".join(c for c in named.name if c not in '<>"\\,;').strip()
    return f"{name} <{named.address}>" if name else str(named.address)


def sentence(error: MailError) -> str:
    """The reply as people read it."""
    return unbracketed(error.reply.text)


def unbracketed(text: str) -> str:
    """The sentence without brackets around addresses."""
    return _BRACKETED.sub(r"\1", text)


def refusals(recipients: list[NamedAddress], *, sender: Address) -> list[str]:
    """For each recipient who may not be written to, the sentence that says why."""
    known = routes.current()
    refused = []
    for recipient in recipients:
        try:
            route = known.resolve(recipient.address)
            policies.check_can_reach(known, route, sender=sender)
        except MailError as error:
            refused.append(sentence(error))
    return refused
