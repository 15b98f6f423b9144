"""What the helpdesk writes by itself, and the variables of its canned replies."""

from __future__ import annotations

import re

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from engine.mail.address import Address
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.routing import routes
from portal.helpdesk import ticket_links
from portal.helpdesk.models import CannedReply, Ticket
from portal.ui import helpdesk_hours

VARIABLES = ("name", "number", "subject", "agent", "phone", "community")
_VARIABLE = re.compile(r"\{([^{}\s]{1,40})\}")


def received(ticket: Ticket) -> str:
    """That we have the question. It repeats nothing of what a stranger typed."""
    return _written(
        "received",
        ticket=ticket,
        hours=helpdesk_hours.status(timezone.now()),
        # Mail from elsewhere does not come in: the community is closed.
        is_inside=routes.current().is_inside(Address.parse(ticket.requester_address)),
    )


def new_link(ticket: Ticket) -> str:
    return _written("new_link", ticket=ticket, days=settings.POSTERN.ticket_link_days)


def merged(ticket: Ticket, into: Ticket) -> str:
    return _written("merged", ticket=ticket, into=into)


def footer(ticket: Ticket) -> str:
    """What stands below every message about a ticket."""
    is_member = ticket.requester_id is not None
    return _written(
        "footer",
        ticket=ticket,
        follow=ticket_links.own_url(ticket)
        if is_member
        else ticket_links.follow_url(ticket),
        phone=settings.POSTERN.helpdesk_phone,
    )


def filled(reply: CannedReply, ticket: Ticket, agent: Person) -> str:
    """The canned reply with its variables, for this ticket."""
    values = {
        "name": ticket.requester_name,
        "number": ticket.number,
        "subject": ticket.subject,
        "agent": agent.name,
        "phone": settings.POSTERN.helpdesk_phone,
        "community": settings.POSTERN.community_name,
    }
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), reply.text)


def check_variables(text: str) -> None:
    """Raise PolicyError for a variable that would stay as it is written."""
    unknown = sorted(set(_VARIABLE.findall(text)) - set(VARIABLES))
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in VARIABLES)
        raise PolicyError(f"There is no {{{unknown[0]}}}. You can use {known}.")


def _written(template: str, **context: object) -> str:
    context["community_name"] = settings.POSTERN.community_name
    return render_to_string(f"helpdesk/emails/{template}.txt", context).strip()
