"""The mailbox to which members send a message to test their connection."""

from __future__ import annotations

from django.conf import settings

from engine.registry.actions import mailboxes
from engine.registry.errors import PolicyError
from engine.registry.models import Domain, Kind, Mailbox

LOCAL_PART = "connection-test"


def address() -> str:
    """Returns the mailbox's address."""
    return f"{LOCAL_PART}@{settings.POSTERN.community_domain}"


def ensure() -> Mailbox:
    """Returns the mailbox, and creates it if necessary.

    Raises PolicyError if the operator's organisation does not exist yet.
    """
    found = Mailbox.objects.filter(address=address()).first()
    if found is not None:
        return found
    home = Domain.objects.filter(
        community_domain=settings.POSTERN.community_domain,
        organisation__kind=Kind.OPERATOR,
    ).first()
    if home is None:
        raise PolicyError(
            "This community has no address for connection tests yet. Contact the helpdesk."
        )
    return mailboxes.add_group(
        home.organisation,
        address=address(),
        name="Connection tests",
        is_published=False,
        by=None,
    )
