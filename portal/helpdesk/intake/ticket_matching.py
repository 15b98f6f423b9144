"""Which ticket a message belongs to.

A signed address comes first, then our own Message-IDs, then a number in the subject.
None is enough by itself: only the requester adds to a ticket. Whoever else got hold of
an address or a number asks a question of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from portal.helpdesk import ticket_links
from portal.helpdesk.intake.incoming_message import Letter
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.status import Status


def ticket_of(letter: Letter) -> Ticket | None:
    """The open ticket that the message's sender adds to. None: it is a new question."""
    if letter.sender is None:
        return None
    for ticket_id in _named(letter):
        ticket = _current(ticket_id)
        if ticket is not None and ticket.requester_address == letter.sender.key:
            return ticket if ticket.status != Status.CLOSED else None
    return None


def _named(letter: Letter) -> Iterator[int]:
    by_address = letter.ticket_by_address
    if by_address is not None:
        yield by_address
    ids = letter.answered_ids
    if ids:
        # Ours only: what others call their messages proves nothing.
        ours = Entry.objects.filter(message_id__in=ids, is_outgoing=True)
        yield from ours.order_by("-pk").values_list("ticket_id", flat=True)[:5]
    by_subject = ticket_links.ticket_in_subject(letter.subject)
    if by_subject is not None:
        yield by_subject


def _current(ticket_id: int) -> Ticket | None:
    """The ticket, or the one that it was merged into."""
    found = Ticket.objects.filter(pk=ticket_id).select_related("merged_into").first()
    return (found.merged_into or found) if found else None
