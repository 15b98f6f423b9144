"""Actions on one ticket: open, answer, note, change status, assign, classify."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from engine.mail import lookalike
from engine.mail.address import Address
from engine.registry.models import Actor, Person
from engine.routing import routes
from portal.helpdesk import account_summary, attachments, policies, rate_limits
from portal.helpdesk.actions import entries
from portal.helpdesk.actions.entries import NO_LETTER, Letter
from portal.helpdesk.attachments import ScannedFiles
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.outgoing import automatic_texts
from portal.helpdesk.status import Category, EntryKind, Priority, Source, Status

MAX_SUBJECT_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to the helpdesk.

    `person` is set only where the requester's identity is proved: by sign-in, or by mail
    that the service accepted from that member.
    """

    subject: str
    text: str
    address: str
    name: str
    person: Person | None = None
    phone: str = ""
    category: Category = Category.OTHER
    priority: Priority = Priority.NORMAL
    files: ScannedFiles = attachments.NO_FILES
    letter: Letter = NO_LETTER
    is_confirmed: bool = True


@transaction.atomic
def open_ticket(question: Question, *, source: Source, by: Actor | None) -> Ticket:
    """Opens a ticket for a question, and sends the requester its number.

    Raises PolicyError with the message to show.
    """
    policies.check_text(question.text)
    person = question.person
    ticket = Ticket(
        subject=" ".join(question.subject.split())[:MAX_SUBJECT_LENGTH]
        or "(no subject)",
        source=source,
        category=question.category,
        priority=question.priority,
        requester=person,
        requester_name=lookalike.displayable(question.name)[:150],
        requester_address=question.address,
        requester_phone=question.phone,
        organisation_id=_organisation_of(question),
        is_confirmed=question.is_confirmed,
        created_at=question.letter.arrived_at or timezone.now(),
    )
    ticket.start_clock()
    ticket.save()
    entries.record_change(ticket, "opened", {"source": source.value}, by=by)
    _first_entries(ticket, question)
    return ticket


@transaction.atomic
def send_link(ticket: Ticket, *, by: Actor | None) -> None:
    """Sends a new link to the requester's known address, never to another one.

    Raises PolicyError with the message to show.
    """
    rate_limits.check_can_have_link(ticket)
    notice = entries.add_entry(
        ticket, EntryKind.NOTICE, automatic_texts.new_link(ticket), by=by
    )
    entries.send_entry(notice)


def _first_entries(ticket: Ticket, question: Question) -> None:
    entry = entries.add_request(ticket, question.text, question.files, question.letter)
    if ticket.requester is not None:
        state = account_summary.as_text(ticket.requester)
        entries.add_entry(ticket, EntryKind.NOTE, state, by=None)
    if entry.author_address:
        notice = entries.add_entry(
            ticket, EntryKind.NOTICE, automatic_texts.received(ticket), by=None
        )
        entries.send_entry(notice)


@transaction.atomic
def add_request(
    ticket: Ticket,
    text: str,
    *,
    attached: ScannedFiles = attachments.NO_FILES,
    letter: Letter = NO_LETTER,
    by: Actor | None,
) -> Entry:
    """Adds what the requester or a colleague wrote; the helpdesk has to act next.

    With by=None the requester wrote by mail, or by the link that was sent to them,
    which proves the address. Raises PolicyError with the message to show.
    """
    ticket = entries.locked(ticket)
    policies.check_can_write(ticket, text)
    if not ticket.is_confirmed and letter.colleague is None:
        _confirm(ticket)
    entry = entries.add_request(ticket, text, attached, letter)
    is_new = ticket.status == Status.NEW
    status = Status.NEW if is_new else Status.OPEN
    entries.change_status(ticket, status, by=by, at=letter.arrived_at)
    return entry


@transaction.atomic
def answer(
    ticket: Ticket,
    text: str,
    *,
    status: Status,
    seen: int,
    attached: ScannedFiles = attachments.NO_FILES,
    by: Actor,
) -> Entry:
    """Answers the requester by mail, and sets the status after the answer.

    `seen` is the id of the last entry that the agent has read. Raises PolicyError with
    the message to show.
    """
    ticket = entries.locked(ticket)
    policies.check_can_answer(ticket, text, seen=seen)
    if ticket.status != status:
        policies.check_can_move(ticket, status)
    entry = entries.add_entry(ticket, EntryKind.REPLY, text, by=by, attached=attached)
    entries.send_entry(entry)
    entries.record_change(ticket, "answered", by=by)
    ticket.record_first_answer(timezone.now())
    if isinstance(by, Person):
        ticket.owner = ticket.owner or by
    entries.change_status(ticket, status, by=by)
    return entry


@transaction.atomic
def note(ticket: Ticket, text: str, *, by: Person) -> Entry:
    """Adds a note that only staff can read. Raises PolicyError with the message to show."""
    policies.check_text(text)
    ticket = entries.locked(ticket)
    entry = entries.add_entry(ticket, EntryKind.NOTE, text, by=by)
    entries.record_change(ticket, "noted", by=by)
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=timezone.now())
    return entry


@transaction.atomic
def move(ticket: Ticket, status: Status, *, by: Actor | None) -> None:
    """Changes the status. Raises PolicyError with the message to show."""
    ticket = entries.locked(ticket)
    policies.check_can_move(ticket, status)
    entries.change_status(ticket, status, by=by)


@transaction.atomic
def assign(ticket: Ticket, owner: Person | None, *, by: Person) -> None:
    """Assigns a ticket to an agent; None removes its owner. Raises PolicyError."""
    if owner is not None:
        policies.check_can_own(owner)
    ticket = entries.locked(ticket)
    if ticket.owner_id == (owner.pk if owner else None):
        return
    ticket.owner = owner
    ticket.updated_at = timezone.now()
    ticket.save()
    address = owner.address if owner else ""
    entries.record_change(ticket, "assigned", {"owner": address}, by=by)
    text = f"Assigned to {owner.name}" if owner else "Owner removed"
    entries.add_entry(ticket, EntryKind.EVENT, text, by=by)


@transaction.atomic
def classify(
    ticket: Ticket, *, priority: Priority, category: Category, by: Person
) -> None:
    """Sets priority and category; the targets follow the priority."""
    ticket = entries.locked(ticket)
    before = (ticket.priority, ticket.category)
    if before == (priority, category):
        return
    ticket.priority, ticket.category = priority, category
    ticket.updated_at = timezone.now()
    ticket.start_clock()
    ticket.save()
    detail = {"priority": [before[0], priority], "category": [before[1], category]}
    entries.record_change(ticket, "classified", detail, by=by)
    text = f"Priority {priority.label.lower()}, category {category.label.lower()}"
    entries.add_entry(ticket, EntryKind.EVENT, text, by=by)


def _organisation_of(question: Question) -> int | None:
    """Returns the requester's organisation, also for members without an account here.

    Users of a member's own mail server are known by their domain alone.
    """
    if question.person is not None:
        return question.person.organisation_id
    if not question.is_confirmed or not question.address:
        return None
    return routes.current().organisation_of(Address.parse(question.address))


def _confirm(ticket: Ticket) -> None:
    """Marks the address as the requester's: they answered what was sent there."""
    ticket.is_confirmed = True
    person = Person.objects.filter(address=ticket.requester_address).first()
    if person is not None:
        ticket.requester, ticket.organisation = person, person.organisation
    ticket.save()
    entries.record_change(ticket, "confirmed", by=None)
    entries.add_entry(ticket, EntryKind.EVENT, "Address confirmed", by=None)
