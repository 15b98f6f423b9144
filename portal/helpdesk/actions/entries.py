"""Locks a ticket, adds entries, changes its status and records it in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Actor, Person
from portal.helpdesk import attachments
from portal.helpdesk.attachments import ScannedFiles
from portal.helpdesk.models import Entry, FoldedText, Ticket
from portal.helpdesk.outgoing import tasks as outgoing
from portal.helpdesk.status import EntryKind, FoldKind, Status
from portal.helpdesk.ticket_links import helpdesk_address

SYSTEM = "Helpdesk"
MAX_TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Fold:
    """A text to show one click away. `title` is the subject of an attached message."""

    kind: FoldKind
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Writer:
    """The person who wrote a message; `person` is None without an account here."""

    name: str
    address: str
    person: Person | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The mail that a request came by.

    `arrived_at` is the moment from which the clock runs. `colleague` is set where someone
    else than the requester wrote it.
    """

    message_id: str = ""
    arrived_at: datetime | None = None
    folded: tuple[Fold, ...] = ()
    colleague: Writer | None = None


NO_LETTER = Letter()


def locked(ticket: Ticket) -> Ticket:
    """Returns the current row under a lock, so that two agents cannot both change it."""
    return Ticket.objects.select_for_update().get(pk=ticket.pk)


def add_entry(
    ticket: Ticket,
    kind: EntryKind,
    text: str,
    *,
    by: Actor | None,
    attached: ScannedFiles = attachments.NO_FILES,
    message_id: str = "",
) -> Entry:
    """Adds an entry; by=None is the service itself."""
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
    attachments.store(entry, attached)
    return entry


def add_request(
    ticket: Ticket, text: str, attached: ScannedFiles, letter: Letter
) -> Entry:
    """Adds what the requester or a colleague wrote, with all that came with it."""
    requester = Writer(
        ticket.requester_name, ticket.requester_address, ticket.requester
    )
    writer = letter.colleague or requester
    entry = add_entry(
        ticket,
        EntryKind.REQUEST,
        text,
        by=writer.person,
        attached=attached,
        message_id=letter.message_id,
    )
    entry.author_name, entry.author_address = writer.name, writer.address
    entry.created_at = letter.arrived_at or entry.created_at
    entry.save(update_fields=["author_name", "author_address", "created_at"])
    FoldedText.objects.bulk_create(
        FoldedText(
            entry=entry,
            kind=one.kind,
            title=one.title[:MAX_TITLE_LENGTH],
            text=one.text,
        )
        for one in letter.folded
    )
    return entry


def send_entry(entry: Entry) -> None:
    """Queues an entry to be mailed to the requester once the transaction commits.

    The Message-ID is fixed here, so that a mail sent twice is one message.
    """
    entry.is_outgoing = True
    domain = helpdesk_address().domain
    entry.message_id = f"<ticket.{entry.ticket_id}.{entry.pk}@{domain}>"
    entry.save(update_fields=["is_outgoing", "message_id"])
    # robust=True: the ticket is saved even where the job queue fails; the schedule
    # "helpdesk.send_waiting" then picks the entry up.
    transaction.on_commit(lambda: outgoing.start(entry.pk), robust=True)


def change_status(
    ticket: Ticket, status: Status, *, by: Actor | None, at: datetime | None = None
) -> None:
    """Changes to a status that policies have checked, and saves the row.

    `at` is the moment from which the clock runs or stands; None is now.
    """
    before = Status(ticket.status)
    now = timezone.now()
    ticket.updated_at = now
    ticket.set_status(status, at or now)
    ticket.save()
    if before != status:
        record_change(
            ticket, "moved", {"from": before.value, "to": status.value}, by=by
        )
        add_entry(ticket, EntryKind.EVENT, f"{before.label} → {status.label}", by=by)


def record_change(
    ticket: Ticket,
    what: str,
    detail: Mapping[str, object] | None = None,
    *,
    by: Actor | None,
) -> None:
    """Records an audit entry "ticket.<what>", without subject or text.

    The audit trail is never purged, and must not keep what people write to the helpdesk.
    """
    record(
        f"ticket.{what}",
        ticket,
        organisation_key=ticket.organisation_id,
        detail=detail,
        by=by,
    )
