"""The texts that the helpdesk sends automatically."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from engine.mail.address import Address
from engine.routing import routes
from portal.helpdesk import ticket_links
from portal.helpdesk.models import Ticket
from portal.ui import helpdesk_hours


def received(ticket: Ticket) -> str:
    """Returns the acknowledgement of a question. It repeats nothing that was typed."""
    return _render(
        "received",
        ticket=ticket,
        hours=helpdesk_hours.status(timezone.now()),
        # Mail from outside does not reach the helpdesk: the community is closed.
        is_inside=routes.current().is_inside(Address.parse(ticket.requester_address)),
    )


def new_link(ticket: Ticket) -> str:
    """Returns the text that accompanies a new link."""
    return _render("new_link", ticket=ticket, days=settings.POSTERN.ticket_link_days)


def merged(ticket: Ticket, into: Ticket) -> str:
    """Returns the notice that two tickets were merged."""
    return _render("merged", ticket=ticket, into=into)


def footer(ticket: Ticket) -> str:
    """Returns the footer of every message about a ticket."""
    is_member = ticket.requester_id is not None
    return _render(
        "footer",
        ticket=ticket,
        follow=ticket_links.own_url(ticket)
        if is_member
        else ticket_links.follow_url(ticket),
        phone=settings.POSTERN.helpdesk_phone,
    )


def _render(template: str, **context: object) -> str:
    context["community_name"] = settings.POSTERN.community_name
    return render_to_string(f"helpdesk/emails/{template}.txt", context).strip()
