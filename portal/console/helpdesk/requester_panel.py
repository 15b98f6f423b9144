"""The panel about a ticket's requester: account, recent mail and other tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from engine.queue.models import QueuedMessage
from engine.trace import timeline
from engine.trace.models import Event, EventKind
from portal.helpdesk import account_summary
from portal.helpdesk.account_summary import Fact
from portal.helpdesk.models import Entry, Ticket

MOST_SHOWN = 8
RECENT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One event of the trace: never a subject or content of a message."""

    at: datetime
    what: str
    reference: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known about a requester."""

    facts: list[Fact]
    received: list[TraceLine]
    sent: list[TraceLine]
    others: list[Ticket]


def panel_of(ticket: Ticket) -> Panel:
    """Returns the panel of a ticket. Mail is shown for confirmed addresses only."""
    person = ticket.requester
    is_known = bool(ticket.requester_address) and ticket.is_confirmed
    return Panel(
        facts=account_summary.facts(person) if person else [],
        received=_received(ticket.requester_address) if is_known else [],
        sent=_sent(ticket) if is_known else [],
        others=_others(ticket),
    )


def _received(address: str) -> list[TraceLine]:
    rows = Event.objects.filter(recipient=address).order_by("-pk")[:MOST_SHOWN]
    return [TraceLine(row.at, timeline.label(row), row.reference) for row in rows]


def _sent(ticket: Ticket) -> list[TraceLine]:
    """Recent messages from the requester, as sent by their organisation."""
    rows = QueuedMessage.objects.filter(
        organisation_id=ticket.organisation_id,
        sender=ticket.requester_address,
        accepted_at__gt=timezone.now() - RECENT,
    )
    found = rows.order_by("-pk").prefetch_related("recipients")[:MOST_SHOWN]
    return [
        TraceLine(
            row.accepted_at,
            "; ".join(
                f"{one.address}: {one.status_words.lower()}"
                for one in row.recipients.all()[:5]
            ),
            row.reference,
        )
        for row in found
    ]


def _others(ticket: Ticket) -> list[Ticket]:
    if not ticket.requester_address:
        return []
    rows = Ticket.objects.filter(requester_address=ticket.requester_address)
    return list(rows.exclude(pk=ticket.pk).order_by("-pk")[:MOST_SHOWN])


def deliveries(entries: list[Entry]) -> dict[int, str]:
    """Returns the delivery status of each outgoing entry, by its id."""
    references = [entry.reference for entry in entries if entry.reference]
    last: dict[str, Event] = {}
    for event in Event.objects.filter(reference__in=references).order_by("pk"):
        last[event.reference] = event
    return {
        entry.pk: _delivery(entry, last.get(entry.reference))
        for entry in entries
        if entry.is_outgoing
    }


def _delivery(entry: Entry, event: Event | None) -> str:
    if entry.failure:
        return f"Not sent: {entry.failure}"
    if not entry.reference:
        return "Being sent"
    if event is None or event.kind == EventKind.RECEIVED:
        return "Waiting in the queue"
    return event.get_kind_display()
