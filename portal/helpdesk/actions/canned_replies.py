"""Saves, removes and fills in canned replies."""

from __future__ import annotations

import re

from django.conf import settings
from django.db import transaction

from engine.audit.record import record
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.helpdesk.models import CannedReply, Ticket
from portal.helpdesk.status import Category

VARIABLES = ("name", "number", "subject", "agent", "phone", "community")
_VARIABLE = re.compile(r"\{([^{}\s]{1,40})\}")


@transaction.atomic
def save(
    reply: CannedReply, *, title: str, category: Category, text: str, by: Person
) -> CannedReply:
    """Saves a new or changed canned reply. Raises PolicyError for an unknown variable."""
    check_variables(text)
    reply.title, reply.category, reply.text = title, category, text
    reply.save()
    record("canned_reply.saved", reply, by=by)
    return reply


@transaction.atomic
def remove(reply: CannedReply, *, by: Person) -> None:
    """Deletes a canned reply; replies already sent with it stay as they are."""
    record("canned_reply.removed", reply, by=by)
    reply.delete()


def fill_in(reply: CannedReply, ticket: Ticket, agent: Person) -> str:
    """Returns the canned reply with its variables fill_in in for the ticket."""
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
    """Raises PolicyError for a variable that does not exist."""
    unknown = sorted(set(_VARIABLE.findall(text)) - set(VARIABLES))
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in VARIABLES)
        raise PolicyError(f"{{{unknown[0]}}} is not a variable. You can use {known}.")
