"""Finds the ticket that a message belongs to.

A signed reply address comes first, then the Message-IDs of the letters on a ticket, then a
number in the subject. None of them is sufficient: only the requester can add to a ticket,
and a colleague of theirs who answers the requester's own mail. A message from anybody else
opens a new one, even with a genuine reply address or number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.mail import lookalike
from engine.mail.address import Address
from engine.registry.models import Person
from engine.routing import routes
from portal.helpdesk import ticket_links
from portal.helpdesk.actions.entries import Writer
from portal.helpdesk.intake.incoming_message import IncomingMessage
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.status import EntryKind, Status

# Tickets looked at for one message: others choose Message-IDs freely.
MAX_CANDIDATES = 5
MAX_NAME_LENGTH = 150


@dataclass(frozen=True, slots=True)
class Match:
    """The open ticket that a message is added to.

    `answers_us` says that it replies to a letter of ours, by reference. `colleague` is
    its sender where that is not the requester.
    """

    ticket: Ticket
    answers_us: bool
    colleague: Writer | None = None


def match(incoming: IncomingMessage) -> Match | None:
    """Returns the open ticket that the sender adds to; None for a new question."""
    sender = incoming.sender
    if sender is None:
        return None
    ids = incoming.answered_ids
    ours = list(_answered(ids, is_outgoing=True)) if ids else []
    by_address = incoming.ticket_by_address
    references = [pk for pk in (by_address, *ours) if pk is not None]
    for ticket_id in (*references, *_own_mail(ids, sender), *_by_subject(incoming)):
        ticket = _current(ticket_id)
        if ticket is not None and ticket.requester_address == sender.key:
            return _open_match(ticket, answers_us=ticket_id in references)
    return _match_of_colleague(incoming, sender, ids, references)


def _match_of_colleague(
    incoming: IncomingMessage, sender: Address, ids: list[str], references: list[int]
) -> Match | None:
    """Returns the ticket of a colleague whose own mail the message answers."""
    if not ids:
        return None
    person = Person.objects.filter(address=sender.key).first()
    organisation = _organisation_of(sender, person)
    if organisation is None:
        return None
    # Within the organisation only, so that no other one's copy of a Message-ID counts.
    rows = _answered(
        ids,
        is_outgoing=False,
        kind=EntryKind.REQUEST,
        ticket__organisation_id=organisation,
        ticket__is_confirmed=True,
    )
    for ticket_id in rows:
        ticket = _current(ticket_id)
        if ticket is None or ticket.organisation_id != organisation:
            continue
        name = person.name if person else lookalike.displayable(incoming.name)
        writer = Writer(name[:MAX_NAME_LENGTH], sender.key, person)
        is_ours = ticket_id in references
        return _open_match(ticket, answers_us=is_ours, colleague=writer)
    return None


def _open_match(
    ticket: Ticket, *, answers_us: bool, colleague: Writer | None = None
) -> Match | None:
    if ticket.status == Status.CLOSED:
        return None
    return Match(ticket, answers_us, colleague)


def _own_mail(ids: list[str], sender: Address) -> Iterator[int]:
    """Yields the tickets on which the sender's own mail is answered by the sender."""
    if ids:
        yield from _answered(
            ids,
            is_outgoing=False,
            kind=EntryKind.REQUEST,
            ticket__requester_address=sender.key,
        )


def _answered(ids: list[str], **which: object) -> list[int]:
    rows = Entry.objects.filter(message_id__in=ids, **which)
    return list(
        rows.order_by("-pk").values_list("ticket_id", flat=True)[:MAX_CANDIDATES]
    )


def _by_subject(incoming: IncomingMessage) -> Iterator[int]:
    by_subject = ticket_links.ticket_in_subject(incoming.subject)
    if by_subject is not None:
        yield by_subject


def _organisation_of(sender: Address, person: Person | None) -> int | None:
    """Returns the sender's organisation; users of a member's server have no account."""
    if person is not None:
        return person.organisation_id
    return routes.current().organisation_of(sender)


def _current(ticket_id: int) -> Ticket | None:
    """Returns the ticket, or the one that it was merged into."""
    found = Ticket.objects.filter(pk=ticket_id).select_related("merged_into").first()
    return (found.merged_into or found) if found else None
