"""Merges two tickets of one requester."""

from __future__ import annotations

from django.db import transaction

from engine.registry.models import Person
from portal.helpdesk import policies
from portal.helpdesk.actions import entries
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.outgoing import automatic_texts
from portal.helpdesk.status import EntryKind, Status


@transaction.atomic
def merge(ticket: Ticket, *, into: Ticket, by: Person) -> Ticket:
    """Moves the entries of one ticket to another of the same requester, and notifies them.

    Returns the ticket that remains. Raises PolicyError with the message to show.
    """
    # Locks in the order of ids: two merges of the same pair cannot deadlock.
    rows = {one.pk: entries.locked(one) for one in sorted((ticket, into), key=_id)}
    ticket, into = rows[ticket.pk], rows[into.pk]
    policies.check_can_merge(ticket, into)
    Entry.objects.filter(ticket=ticket).update(ticket=into)
    into.adopt_first_answer(ticket)
    into.save()
    entries.record_change(ticket, "merged", {"into": into.number}, by=by)
    entries.change_status(ticket, Status.CLOSED, by=by)
    Ticket.objects.filter(pk=ticket.pk).update(merged_into=into)
    # Tickets merged into this one earlier must keep pointing at an open ticket.
    Ticket.objects.filter(merged_into=ticket).update(merged_into=into)
    entries.add_entry(ticket, EntryKind.EVENT, f"Merged into {into.number}", by=by)
    entries.add_entry(into, EntryKind.EVENT, f"{ticket.number} was merged here", by=by)
    notice = entries.add_entry(
        into, EntryKind.NOTICE, automatic_texts.merged(ticket, into), by=None
    )
    entries.send_entry(notice)
    return into


def _id(ticket: Ticket) -> int:
    return ticket.pk
