"""Routes notices of the service, which alone may leave the community."""

from __future__ import annotations

from django.conf import settings

from engine.mail.address import Address
from engine.routing.routes import Routes

# The destination of addresses outside the community.
OUTSIDE = "outside"


def route_notice(
    known: Routes, recipient: Address, *, is_everyday: bool = False
) -> tuple[Address, str]:
    """Returns the final address of a notice and the destination it is queued under.

    With `is_everyday`, the address is a person's everyday one, and the notice leaves the
    community even for a member's own domain: that server is reached over the internet,
    because the connection here may be what the notice is about. Raises PermanentFailure
    for an address inside the community that does not exist.
    """
    community = settings.POSTERN.community_domain
    is_ours = f".{recipient.domain}".endswith(f".{community}")
    if not is_ours and (is_everyday or not known.is_inside(recipient)):
        return recipient, OUTSIDE
    route = known.resolve(recipient)
    return route.address, route.destination
