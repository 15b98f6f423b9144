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
    """Move everything said on one ticket to another of the same person, and tell them.

    Raises PolicyError with the sentence to show.
    """
    # Always the older one first: two merges at once never wait for each other.
    rows = {one.pk: entries.locked(one) for one in sorted((ticket, into), key=_age)}
    ticket, into = rows[ticket.pk], rows[into.pk]
    policies.check_can_merge(ticket, into)
    Entry.objects.filter(ticket=ticket).update(ticket=into)
    into.take_answer_of(ticket)
    into.save()
    entries.told(ticket, "merged", {"into": into.number}, by=by)
    entries.turn(ticket, Status.CLOSED, by=by)
    Ticket.objects.filter(pk=ticket.pk).update(merged_into=into)
    # What was merged into this one before follows it.
    Ticket.objects.filter(merged_into=ticket).update(merged_into=into)
    entries.write(ticket, EntryKind.EVENT, f"Merged into {into.number}", by=by)
    entries.write(into, EntryKind.EVENT, f"{ticket.number} was merged here", by=by)
    notice = entries.write(
        into, EntryKind.NOTICE, automatic_texts.merged(ticket, into), by=None
    )
    entries.send(notice)
    return into


def _age(ticket: Ticket) -> int:
    return ticket.pk
