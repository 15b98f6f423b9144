"""What every message must satisfy, whoever sends it."""

from __future__ import annotations

from engine.mail import reply
from engine.mail.address import Address
from engine.mail.address_list import addresses_in
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.registry import policies
from engine.registry.routes import Route, Routes

# RFC 5321 §6.3 asks for at least 100; a closed community has short paths.
HOP_LIMIT = 50

BAD_FROM = reply.BAD_HEADER.saying(
    "The header must have exactly one From field, with an address in it"
)


def recipient(routes: Routes, sender: Address | None, address: Address) -> Route:
    """Where mail to this address goes. Raises MailError when it may not."""
    route = routes.resolve(address)
    policies.check_can_reach(routes, route, sender=sender)
    return route


def authors(header: HeaderBlock) -> list[Address]:
    """Every address that the header gives as author or sender.

    Raises PermanentFailure unless there is exactly one From field with an address
    in it (RFC 5322 §3.6).
    """
    written = header.all("From")
    senders = header.all("Sender")
    if len(written) != 1 or len(senders) > 1:
        raise PermanentFailure(BAD_FROM)
    found = [named.address for named in addresses_in(written[0].value)]
    if not found:
        raise PermanentFailure(BAD_FROM)
    return found + [n.address for field in senders for n in addresses_in(field.value)]


def hops(header: HeaderBlock) -> None:
    """Refuse a message that goes in circles."""
    if len(header.all("Received")) > HOP_LIMIT:
        raise PermanentFailure(reply.LOOP)
