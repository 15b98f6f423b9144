"""What may be done to one ticket: open, answer, note, move, give to somebody."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from engine.mail import lookalike
from engine.mail.address import Address
from engine.registry.actor import Actor
from engine.registry.models import Person
from engine.routing import routes
from portal.helpdesk import account_summary, attachments, policies, rate_limits
from portal.helpdesk.actions import entries
from portal.helpdesk.attachments import Checked
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.outgoing import automatic_texts
from portal.helpdesk.status import Category, EntryKind, Priority, Source, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks. `person` is set only where it is sure who asks."""

    subject: str
    text: str
    address: str
    name: str
    person: Person | None = None
    phone: str = ""
    category: Category = Category.OTHER
    priority: Priority = Priority.NORMAL
    files: Checked = attachments.NONE
    message_id: str = ""
    is_confirmed: bool = True


@transaction.atomic
def open_ticket(question: Question, *, source: Source, by: Actor | None) -> Ticket:
    """Take a question in, and send the requester its number.

    Raises PolicyError with the sentence to show.
    """
    policies.check_text(question.text)
    person = question.person
    ticket = Ticket(
        subject=" ".join(question.subject.split())[:200] or "(no subject)",
        source=source,
        category=question.category,
        priority=question.priority,
        requester=person,
        requester_name=lookalike.shown(question.name)[:150],
        requester_address=question.address,
        requester_phone=question.phone,
        organisation_id=_organisation_of(question),
        is_confirmed=question.is_confirmed,
    )
    ticket.start_clock()
    ticket.save()
    entries.told(ticket, "opened", {"source": source.value}, by=by)
    _first_entries(ticket, question)
    return ticket


@transaction.atomic
def send_link(ticket: Ticket, *, by: Actor | None) -> None:
    """Send the requester a new link to the ticket: to the address of before, no other.

    Raises PolicyError with the sentence to show.
    """
    rate_limits.check_can_have_link(ticket)
    notice = entries.write(
        ticket, EntryKind.NOTICE, automatic_texts.new_link(ticket), by=by
    )
    entries.send(notice)


def _first_entries(ticket: Ticket, question: Question) -> None:
    entry = _said(ticket, question.text, question.files, question.message_id)
    if ticket.requester is not None:
        state = account_summary.as_text(ticket.requester)
        entries.write(ticket, EntryKind.NOTE, state, by=None)
    if entry.author_address:
        notice = entries.write(
            ticket, EntryKind.NOTICE, automatic_texts.received(ticket), by=None
        )
        entries.send(notice)


def _said(ticket: Ticket, text: str, attached: Checked, message_id: str) -> Entry:
    entry = entries.write(
        ticket,
        EntryKind.REQUEST,
        text,
        by=ticket.requester,
        attached=attached,
        message_id=message_id,
    )
    entry.author_name = ticket.requester_name
    entry.author_address = ticket.requester_address
    entry.save(update_fields=["author_name", "author_address"])
    return entry


@transaction.atomic
def hear(
    ticket: Ticket,
    text: str,
    *,
    attached: Checked = attachments.NONE,
    message_id: str = "",
    by: Actor | None,
) -> Entry:
    """Take in what the requester adds; it is the helpdesk's turn again.

    by=None wrote by mail, or by the link that was sent to them, and so proved the
    address. Raises PolicyError with the sentence to show.
    """
    ticket = entries.locked(ticket)
    policies.check_can_write(ticket, text)
    if not ticket.is_confirmed:
        _confirm(ticket)
    entry = _said(ticket, text, attached, message_id)
    is_new = ticket.status == Status.NEW
    entries.turn(ticket, Status.NEW if is_new else Status.OPEN, by=by)
    return entry


@transaction.atomic
def answer(
    ticket: Ticket,
    text: str,
    *,
    status: Status,
    seen: int,
    attached: Checked = attachments.NONE,
    by: Actor,
) -> Entry:
    """Answer the requester by mail, and say whose turn it is then.

    `seen` is the last entry that the agent has read. Raises PolicyError with the
    sentence to show.
    """
    ticket = entries.locked(ticket)
    policies.check_can_answer(ticket, text, seen=seen)
    if ticket.status != status:
        policies.check_can_move(ticket, status)
    entry = entries.write(ticket, EntryKind.REPLY, text, by=by, attached=attached)
    entries.send(entry)
    entries.told(ticket, "answered", by=by)
    ticket.was_answered(timezone.now())
    if isinstance(by, Person):
        ticket.owner = ticket.owner or by
    entries.turn(ticket, status, by=by)
    return entry


@transaction.atomic
def note(ticket: Ticket, text: str, *, by: Person) -> Entry:
    """Write down what only staff read. Raises PolicyError with the sentence to show."""
    policies.check_text(text)
    ticket = entries.locked(ticket)
    entry = entries.write(ticket, EntryKind.NOTE, text, by=by)
    entries.told(ticket, "noted", by=by)
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=timezone.now())
    return entry


@transaction.atomic
def move(ticket: Ticket, status: Status, *, by: Actor | None) -> None:
    """Say whose turn it is. Raises PolicyError with the sentence to show."""
    ticket = entries.locked(ticket)
    policies.check_can_move(ticket, status)
    entries.turn(ticket, status, by=by)


@transaction.atomic
def assign(ticket: Ticket, owner: Person | None, *, by: Person) -> None:
    """Give a ticket to an agent, or to nobody. Raises PolicyError."""
    if owner is not None:
        policies.check_can_own(owner)
    ticket = entries.locked(ticket)
    if ticket.owner_id == (owner.pk if owner else None):
        return
    ticket.owner = owner
    ticket.updated_at = timezone.now()
    ticket.save()
    whom = owner.address if owner else ""
    entries.told(ticket, "assigned", {"owner": whom}, by=by)
    text = f"Assigned to {owner.name}" if owner else "Assigned to nobody"
    entries.write(ticket, EntryKind.EVENT, text, by=by)


@transaction.atomic
def classify(
    ticket: Ticket, *, priority: Priority, category: Category, by: Person
) -> None:
    """Say how soon and what about; the targets follow the priority."""
    ticket = entries.locked(ticket)
    before = (ticket.priority, ticket.category)
    if before == (priority, category):
        return
    ticket.priority, ticket.category = priority, category
    ticket.updated_at = timezone.now()
    ticket.start_clock()
    ticket.save()
    detail = {"priority": [before[0], priority], "category": [before[1], category]}
    entries.told(ticket, "classified", detail, by=by)
    text = f"Priority {priority.label.lower()}, about: {category.label.lower()}"
    entries.write(ticket, EntryKind.EVENT, text, by=by)


def _organisation_of(question: Question) -> int | None:
    """Whose member asks; a server's users need no account here to be members."""
    if question.person is not None:
        return question.person.organisation_id
    if not question.is_confirmed or not question.address:
        return None
    return routes.current().organisation_of(Address.parse(question.address))


def _confirm(ticket: Ticket) -> None:
    """The address is the requester's: what was sent there came back."""
    ticket.is_confirmed = True
    person = Person.objects.filter(address=ticket.requester_address).first()
    if person is not None:
        ticket.requester, ticket.organisation = person, person.organisation
    ticket.save()
    entries.told(ticket, "confirmed", by=None)
    entries.write(ticket, EntryKind.EVENT, "Address confirmed", by=None)
