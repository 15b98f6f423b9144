"""Finds the ticket that a message belongs to.

A signed reply address comes first, then our own Message-IDs, then a number in the subject.
None of them is sufficient: only the requester can add to a ticket. A message from anybody
else opens a new one, even with a genuine reply address or number.
"""

from __future__ import annotations

from collections.abc import Iterator

from portal.helpdesk import ticket_links
from portal.helpdesk.intake.incoming_message import IncomingMessage
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.status import Status


def ticket_of(incoming: IncomingMessage) -> Ticket | None:
    """Returns the open ticket that the sender adds to; None for a new question."""
    if incoming.sender is None:
        return None
    for ticket_id in _candidates(incoming):
        ticket = _current(ticket_id)
        if ticket is not None and ticket.requester_address == incoming.sender.key:
            return ticket if ticket.status != Status.CLOSED else None
    return None


def _candidates(incoming: IncomingMessage) -> Iterator[int]:
    by_address = incoming.ticket_by_address
    if by_address is not None:
        yield by_address
    ids = incoming.answered_ids
    if ids:
        # Only Message-IDs that we made: others choose theirs freely.
        ours = Entry.objects.filter(message_id__in=ids, is_outgoing=True)
        yield from ours.order_by("-pk").values_list("ticket_id", flat=True)[:5]
    by_subject = ticket_links.ticket_in_subject(incoming.subject)
    if by_subject is not None:
        yield by_subject


def _current(ticket_id: int) -> Ticket | None:
    """Returns the ticket, or the one that it was merged into."""
    found = Ticket.objects.filter(pk=ticket_id).select_related("merged_into").first()
    return (found.merged_into or found) if found else None
