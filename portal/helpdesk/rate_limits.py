"""How often a stranger may ask: the form for those who cannot sign in is open to all."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from engine.registry.errors import PolicyError
from onboarding import throttle
from portal.helpdesk.models import Ticket

WINDOW = timedelta(hours=1)
MOST_FROM_ONE_PEER = 10  # an organisation's people may share one address
MOST_FOR_ONE_ADDRESS = 3
MOST_LINKS_FOR_ONE_TICKET = 3

REFUSAL = (
    "You have sent several questions in the last hour. Call us, or try again later."
)


def check_can_have_link(ticket: Ticket) -> None:
    """Raise PolicyError where too many links were sent about the ticket."""
    try:
        throttle.count("ticket-links", str(ticket.pk), MOST_LINKS_FOR_ONE_TICKET)
    except throttle.TooOftenError:
        raise PolicyError(
            "We have sent several links in the last hour. Look in your mail, or call us."
        ) from None


def check_can_ask(*, peer: str, address: str) -> None:
    """Raise PolicyError where too much came from there, or goes to that address."""
    try:
        throttle.count("questions", peer, MOST_FROM_ONE_PEER)
    except throttle.TooOftenError:
        raise PolicyError(REFUSAL) from None
    recent = Ticket.objects.filter(
        requester_address=address,
        is_confirmed=False,
        created_at__gt=timezone.now() - WINDOW,
    )
    if recent.count() >= MOST_FOR_ONE_ADDRESS:
        raise PolicyError(REFUSAL)
