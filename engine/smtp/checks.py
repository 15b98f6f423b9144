"""What every message must satisfy, whoever sends it."""

from __future__ import annotations

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.errors import PermanentFailure, TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.routing import policies
from engine.routing.routes import Route, Routes
from engine.storage import quota

# RFC 5321 §6.3 asks for at least 100; a closed community has short paths.
HOP_LIMIT = 50


def recipient(routes: Routes, sender: Address | None, address: Address) -> Route:
    """Where mail to this address goes. Raises MailError when it may not."""
    route = routes.resolve(address)
    policies.check_can_reach(routes, route, sender=sender)
    if quota.was_full(route.mailbox_id):
        raise TemporaryFailure(
            smtp_replies.MAILBOX_FULL.saying(
                f"The mailbox of <{address}> is full; try again later"
            )
        )
    return route


def hops(header: HeaderBlock) -> None:
    """Refuse a message that goes in circles."""
    if len(header.all("Received")) > HOP_LIMIT:
        raise PermanentFailure(smtp_replies.LOOP)
