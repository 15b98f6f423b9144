"""Where members send a message to try their connection."""

from __future__ import annotations

from django.conf import settings

from engine.registry.actions import mailboxes
from engine.registry.errors import PolicyError
from engine.registry.models import Domain, Kind, Mailbox

LOCAL_PART = "connection-test"


def address() -> str:
    return f"{LOCAL_PART}@{settings.POSTERN.community_domain}"


def ensure() -> Mailbox:
    """The mailbox, made where it is not there yet.

    Raises PolicyError in a community whose operator has no organisation.
    """
    found = Mailbox.objects.filter(address=address()).first()
    if found is not None:
        return found
    home = Domain.objects.filter(
        community_domain=settings.POSTERN.community_domain,
        organisation__kind=Kind.OPERATOR,
    ).first()
    if home is None:
        raise PolicyError("The operator has not set up this community's addresses yet.")
    return mailboxes.add_group(
        home.organisation,
        address=address(),
        name="Connection tests",
        is_published=False,
        by=None,
    )
