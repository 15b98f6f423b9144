"""Rate limits of the public form, which needs no account."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from engine.registry.errors import PolicyError
from onboarding import rate_limits
from portal.helpdesk.models import Ticket

WINDOW = timedelta(hours=1)
MAX_PER_PEER = 10  # the members of an organisation may share one IP address
MAX_PER_ADDRESS = 3
MAX_LINKS_PER_TICKET = 3

REFUSAL = "You have sent several questions in the last hour. Try again in an hour, or call us."


def check_can_have_link(ticket: Ticket) -> None:
    """Raises PolicyError where too many links were sent for the ticket in the last hour."""
    try:
        rate_limits.count("ticket-links", str(ticket.pk), MAX_LINKS_PER_TICKET)
    except rate_limits.RateLimitError:
        raise PolicyError(
            "We have sent you several links in the last hour. Check your mail, also the "
            "junk folder, or call us."
        ) from None


def check_can_ask(*, peer: str, address: str) -> None:
    """Raises PolicyError for too many questions from one IP address or e-mail address.

    `peer` is the client's IP address, `address` the e-mail address in the form.
    """
    try:
        rate_limits.count("questions", peer, MAX_PER_PEER)
    except rate_limits.RateLimitError:
        raise PolicyError(REFUSAL) from None
    recent = Ticket.objects.filter(
        requester_address=address,
        is_confirmed=False,
        created_at__gt=timezone.now() - WINDOW,
    )
    if recent.count() >= MAX_PER_ADDRESS:
        raise PolicyError(REFUSAL)
