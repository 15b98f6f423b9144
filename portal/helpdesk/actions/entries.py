"""What every verb on a ticket has in common: the row locked, the entry written."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.actor import Actor
from engine.registry.models import Person
from portal.helpdesk import attachments
from portal.helpdesk.attachments import Checked
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.outgoing import tasks as outgoing
from portal.helpdesk.status import EntryKind, Status
from portal.helpdesk.ticket_links import helpdesk_address

SYSTEM = "Helpdesk"


def locked(ticket: Ticket) -> Ticket:
    """The row as it stands now, so that two people cannot change it at once."""
    return Ticket.objects.select_for_update().get(pk=ticket.pk)


def write(
    ticket: Ticket,
    kind: EntryKind,
    text: str,
    *,
    by: Actor | None,
    attached: Checked = attachments.NONE,
    message_id: str = "",
) -> Entry:
    """Add an entry by a person, another system, or the service itself."""
    author = by if isinstance(by, Person) else None
    entry = Entry.objects.create(
        ticket=ticket,
        kind=kind,
        author=author,
        author_name=by.name if by else SYSTEM,
        author_address=author.address if author else "",
        text=text.strip(),
        message_id=message_id,
    )
    attachments.keep(entry, attached)
    return entry


def send(entry: Entry) -> None:
    """Have an entry go out to the requester once this is committed.

    The Message-ID is fixed now, so that whatever is sent twice is one message.
    """
    entry.is_outgoing = True
    domain = helpdesk_address().domain
    entry.message_id = f"<ticket.{entry.ticket_id}.{entry.pk}@{domain}>"
    entry.save(update_fields=["is_outgoing", "message_id"])
    # Robust: a reply that could not be started is picked up by the clock.
    transaction.on_commit(lambda: outgoing.start(entry.pk), robust=True)


def turn(ticket: Ticket, status: Status, *, by: Actor | None) -> None:
    """Take a status that was checked, and save the row."""
    before = Status(ticket.status)
    now = timezone.now()
    ticket.updated_at = now
    ticket.turn(status, now)
    ticket.save()
    if before != status:
        told(ticket, "moved", {"from": before.value, "to": status.value}, by=by)
        write(ticket, EntryKind.EVENT, f"{before.label} → {status.label}", by=by)


def told(
    ticket: Ticket,
    what: str,
    detail: Mapping[str, object] | None = None,
    *,
    by: Actor | None,
) -> None:
    """Leave an audit entry. It never holds a subject or what anybody wrote."""
    record(
        f"ticket.{what}",
        ticket,
        organisation_key=ticket.organisation_id,
        detail=detail,
        by=by,
    )
