"""Reads the helpdesk's mailbox: each message once, whatever becomes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage import message_actions as storage
from engine.storage.mailbox_delivery import folder
from engine.storage.models import FolderRole, Message
from portal.helpdesk import attachments, ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.attachments import Checked
from portal.helpdesk.intake import incoming_message as letters
from portal.helpdesk.intake import ticket_matching
from portal.helpdesk.intake.incoming_message import Letter
from portal.helpdesk.models import CollectedMessage, Ticket
from portal.helpdesk.status import Outcome, Source

log = logging.getLogger(__name__)

# Messages in one run, so that it ends.
MOST_AT_ONCE = 200
# Tickets that one sender opens by mail in an hour; a loop between machines stops here.
MOST_OPENED = 10
WINDOW = timedelta(hours=1)


class SetAsideError(Exception):
    """The message makes no ticket. The sentence is for the agents."""


def collect() -> int:
    """Take in the messages in the mailbox's inbox; returns how many that were.

    Each is kept in Archive afterwards. One that cannot be read is set aside, for the
    agents to see; one that meets a fault that passes waits for the next run, and the
    fault is raised after the others were taken in.
    """
    taken, first = 0, None
    for message in _inbox():
        try:
            _take_or_set_aside(message)
        except Exception as fault:
            log.exception("message %s was not taken in", message.pk)
            first = first or fault
            continue
        taken += 1
        if taken == MOST_AT_ONCE:
            break
    if first is not None:
        raise first
    return taken


def _inbox() -> Iterator[Message]:
    """All of it, so that those that wait do not keep out those behind them."""
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
        log.exception("message %s is set aside", message.pk)
        reason = f"It could not be read ({type(fault).__name__})"
        _take(message, partial(_note, outcome=Outcome.IGNORED, reason=reason))


@transaction.atomic
def _take(message: Message, judge: Callable[[Message], None]) -> None:
    # Locked, and looked at again: another worker may have come first.
    locked = Message.objects.select_for_update().filter(pk=message.pk)
    if locked.filter(folder_id=message.folder_id).first() is None:
        return
    if not CollectedMessage.objects.filter(stored_id=message.pk).exists():
        judge(message)
    storage.mark_read([message], is_read=True)
    storage.move([message], folder(message.mailbox, FolderRole.ARCHIVE))


def _judge(message: Message) -> None:
    letter = letters.read(message)
    try:
        _check_is_for_us(message, letter)
        ticket = ticket_matching.ticket_of(letter)
        outcome = Outcome.ANSWERED if ticket else Outcome.OPENED
        ticket = _added(ticket, letter) if ticket else _opened(message, letter)
    except (SetAsideError, PolicyError) as reason:
        _note(message, Outcome.IGNORED, reason=str(reason)[:200])
    else:
        _note(message, outcome, ticket=ticket)


def _check_is_for_us(message: Message, letter: Letter) -> None:
    """Refuse what programs send, what came before, and what comes too often."""
    if not message.envelope_sender:
        raise SetAsideError("A delivery notice")
    if letter.sender is None:
        raise SetAsideError("The sender cannot be made out")
    if letter.sender.key == ticket_links.helpdesk_address().key:
        raise SetAsideError("Our own message")
    if letter.robot:
        raise SetAsideError(letter.robot)
    earlier = CollectedMessage.objects.filter(from_address=letter.sender.key)
    if letter.message_id and earlier.filter(message_id=letter.message_id).exists():
        raise SetAsideError("The same message came before")


def _added(ticket: Ticket, letter: Letter) -> Ticket:
    attached, text = _taken(letter)
    tickets.hear(
        ticket,
        text,
        attached=attached,
        message_id=letter.message_id,
        by=ticket.requester,
    )
    return ticket


def _opened(message: Message, letter: Letter) -> Ticket:
    sender = letter.sender
    if sender is None:
        raise SetAsideError("The sender cannot be made out")
    since = timezone.now() - WINDOW
    opened = CollectedMessage.objects.filter(
        from_address=sender.key, outcome=Outcome.OPENED, collected_at__gt=since
    )
    if opened.count() >= MOST_OPENED:
        raise SetAsideError(f"More than {MOST_OPENED} questions in an hour")
    person = Person.objects.filter(address=sender.key).first()
    attached, text = _taken(letter)
    question = Question(
        subject=letter.subject,
        text=text,
        address=sender.key,
        name=person.name if person else letter.name,
        person=person,
        files=attached,
        message_id=letter.message_id,
    )
    return tickets.open_ticket(question, source=Source.MAIL, by=person)


def _taken(letter: Letter) -> tuple[Checked, str]:
    """The files that fit, and the text, which says so where some did not."""
    attached, left_out = attachments.from_mail(letter.files)
    if not left_out:
        return attached, letter.text
    return attached, f"{letter.text}\n\n[{left_out} more files are in the mailbox]"


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
        from_address=letters.key_of(message.from_address),
        subject=message.subject,
        outcome=outcome,
        reason=reason,
        ticket=ticket,
    )
