"""Collects the messages in the helpdesk's mailbox, each exactly once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage import message_actions as storage
from engine.storage.models import FirstUse, FolderRole, Message
from engine.storage.standard_folders import folder
from portal.helpdesk import attachments, ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.entries import Fold, Letter, Writer
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.intake import incoming_message, quotations, ticket_matching
from portal.helpdesk.intake.incoming_message import IncomingMessage
from portal.helpdesk.intake.message_content import MessageContent
from portal.helpdesk.intake.ticket_matching import Match
from portal.helpdesk.models import CollectedMessage, Ticket
from portal.helpdesk.status import FoldKind, Outcome, Source

log = logging.getLogger(__name__)

# Messages in one run, so that it ends.
MAX_PER_RUN = 200
# Tickets that one sender opens by mail in an hour: ends a loop with another program that
# answers our automatic messages.
MAX_OPENED_PER_SENDER = 10
WINDOW = timedelta(hours=1)


class SetAsideError(Exception):
    """The message opens no ticket. Agents see the text of the exception as the reason."""


def collect() -> int:
    """Processes the messages in the mailbox's inbox; returns their number.

    Each is moved to Archive afterwards. A message that cannot be parsed is set aside for
    the agents to see. A message that meets a temporary fault waits for the next run, and
    the first such fault is raised once the other messages have been processed.
    """
    taken, first = 0, None
    for message in _inbox():
        try:
            _take_or_set_aside(message)
        except Exception as fault:
            log.exception("message %s could not be collected", message.pk)
            first = first or fault
            continue
        taken += 1
        if taken == MAX_PER_RUN:
            break
    if first is not None:
        raise first
    return taken


def _inbox() -> Iterator[Message]:
    """Yields every message, so that one that keeps failing does not block later ones."""
    address = ticket_links.helpdesk_address().key
    rows = Message.objects.filter(
        mailbox__address=address, folder__role=FolderRole.INBOX
    )
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        yield from rows.select_related("content", "mailbox").filter(pk=pk)


def _take_or_set_aside(message: Message) -> None:
    try:
        _take(message, _judge)
    except (OperationalError, InterfaceError, OSError):
        raise
    except Exception as fault:
        log.exception("message %s was set aside", message.pk)
        reason = f"It could not be parsed ({type(fault).__name__})"
        _take(message, partial(_note, outcome=Outcome.IGNORED, reason=reason))


@transaction.atomic
def _take(message: Message, judge: Callable[[Message], None]) -> None:
    # Checked again under the lock: another worker may have processed it.
    locked = Message.objects.select_for_update().filter(pk=message.pk)
    if locked.filter(folder_id=message.folder_id).first() is None:
        return
    if not CollectedMessage.objects.filter(stored_id=message.pk).exists():
        judge(message)
    storage.note_use([message], FirstUse.FETCHED)
    storage.mark_read([message], is_read=True)
    storage.move([message], folder(message.mailbox, FolderRole.ARCHIVE))


def _judge(message: Message) -> None:
    incoming = incoming_message.parse(message)
    try:
        _check_is_for_us(message, incoming)
        found = ticket_matching.match(incoming)
        ticket = _added(found, message, incoming) if found else None
        outcome = Outcome.ANSWERED if ticket else Outcome.OPENED
        ticket = ticket or _opened(message, incoming)
    except (SetAsideError, PolicyError) as reason:
        _note(message, Outcome.IGNORED, reason=str(reason)[:200])
    else:
        _note(message, outcome, ticket=ticket)


def _check_is_for_us(message: Message, incoming: IncomingMessage) -> None:
    """Raises SetAsideError for automatic mail, our own mail, and repeated messages."""
    if not message.envelope_sender:
        raise SetAsideError("A delivery notice")
    if incoming.sender is None:
        raise SetAsideError("The sender's address is not valid")
    if incoming.sender.key == ticket_links.helpdesk_address().key:
        raise SetAsideError("Our own message")
    if incoming.automatic_reason:
        raise SetAsideError(incoming.automatic_reason)
    earlier = CollectedMessage.objects.filter(from_address=incoming.sender.key)
    if incoming.message_id and earlier.filter(message_id=incoming.message_id).exists():
        raise SetAsideError("The same message was collected before")


def _added(found: Match, message: Message, incoming: IncomingMessage) -> Ticket | None:
    """Adds the message to the ticket; returns None where that was closed meanwhile."""
    ticket, colleague = found.ticket, found.colleague
    if found.answers_us and not incoming.is_forward:
        _fold_quotation(ticket, incoming)
    kept = incoming.content.fitted()
    try:
        tickets.add_request(
            ticket,
            kept.text,
            attached=attachments.from_mail(kept.files),
            letter=_letter(message, incoming, kept, colleague),
            by=colleague.person if colleague else ticket.requester,
        )
    except PolicyError:
        return None
    return ticket


def _letter(
    message: Message,
    incoming: IncomingMessage,
    kept: MessageContent,
    colleague: Writer | None = None,
) -> Letter:
    return Letter(
        message_id=incoming.message_id,
        arrived_at=_arrival(message),
        folded=tuple(kept.folded),
        colleague=colleague,
    )


def _fold_quotation(ticket: Ticket, incoming: IncomingMessage) -> None:
    """Moves the quotation of our letter to the folded texts."""
    content, marks = incoming.content, quotations.marks_of(ticket)
    content.text, quotation = quotations.separate(content.text, marks)
    if quotation:
        content.folded.insert(0, Fold(FoldKind.QUOTATION, quotation))


def _arrival(message: Message) -> datetime:
    """Returns when the message arrived: a clock that was set back must not hold it up."""
    return min(message.received_at, timezone.now())


def _opened(message: Message, incoming: IncomingMessage) -> Ticket:
    sender = incoming.sender
    if sender is None:
        raise SetAsideError("The sender's address is not valid")
    since = timezone.now() - WINDOW
    opened = CollectedMessage.objects.filter(
        from_address=sender.key, outcome=Outcome.OPENED, collected_at__gt=since
    )
    if opened.count() >= MAX_OPENED_PER_SENDER:
        raise SetAsideError(
            f"More than {MAX_OPENED_PER_SENDER} questions from this sender in an hour"
        )
    person = Person.objects.filter(address=sender.key).first()
    kept = incoming.content.fitted()
    question = Question(
        subject=incoming.subject,
        text=kept.text,
        address=sender.key,
        name=person.name if person else incoming.name,
        person=person,
        files=attachments.from_mail(kept.files),
        letter=_letter(message, incoming, kept),
    )
    return tickets.open_ticket(question, source=Source.MAIL, by=person)


def _note(
    message: Message,
    outcome: Outcome,
    *,
    reason: str = "",
    ticket: Ticket | None = None,
) -> None:
    CollectedMessage.objects.create(
        stored_id=message.pk,
        message_id=message.message_id,
        from_address=incoming_message.address_key(message.from_address),
        subject=message.subject,
        outcome=outcome,
        reason=reason,
        ticket=ticket,
        received_at=message.received_at,
    )
