"""What a recipient's mail is queued under."""

from __future__ import annotations

from django.conf import settings

from engine.mail.address import Address
from engine.routing.routes import Routes

# Addresses outside the community; only the service itself may write to them.
OUTSIDE = "outside"


def of_notice(
    known: Routes, recipient: Address, *, is_everyday: bool = False
) -> tuple[Address, str]:
    """To whom and where a notice of the service goes: it alone may leave the community.

    One to an everyday address leaves it even into a member's own domain.

    Raises PermanentFailure for an address inside that nobody has.
    """
    community = settings.POSTERN.community_domain
    is_ours = f".{recipient.domain}".endswith(f".{community}")
    if not is_ours and (is_everyday or not known.is_inside(recipient)):
        return recipient, OUTSIDE
    route = known.resolve(recipient)
    return route.address, route.destination
