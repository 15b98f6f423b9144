"""Snoozed messages, and reminders of sent messages that nobody has answered.

A job wakes what is due. Each reminder is woken in a transaction of its own, with the
message's move, so that a crash leaves nothing half done, and a repetition changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from engine import calendar_days
from engine.database import batches, clock
from engine.encryption.errors import UnreadableError
from engine.mail import automatic_answers
from engine.mail.conversation import conversation_id
from engine.mail.header import HeaderBlock
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import content, content_keys, mailbox_changes, message_actions
from engine.storage.models import (
    Folder,
    FolderRole,
    Message,
    Reminder,
    ReminderKind,
    WithdrawnCopy,
)
from engine.storage.standard_folders import inbox

LONGEST = timedelta(days=370)
# Reminders looked for at once, those shown on a page, and those of one mailbox.
BATCH = 500
SHOWN = 20
LIMIT = 2000
# Answers looked at for one sent message.
CANDIDATES = 50
FORGOTTEN_AFTER = timedelta(days=30)
PAUSE = timedelta(days=1)


@transaction.atomic
def snooze(
    mailbox: Mailbox, messages: Collection[Message], *, until: datetime, by: Person
) -> int:
    """Moves messages to Snoozed until a moment; returns how many. Raises PolicyError."""
    _check_moment(until)
    moved = [one for one in messages if _can_snooze(one)]
    if not moved:
        raise PolicyError("Drafts and sent or deleted messages cannot be snoozed.")
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    _check_room(mailbox, len(moved))
    target = _snoozed_folder(mailbox)
    for message in moved:
        found = {"due_at": until, "is_due": False, "person": by, "mailbox": mailbox}
        if message.folder_id != target.pk:
            found["folder"] = message.folder
        Reminder.objects.update_or_create(
            message_id=message.pk, kind=ReminderKind.SNOOZE, defaults=found
        )
    message_actions.move(moved, target)
    return len(moved)


@transaction.atomic
def follow_up(
    message: Message, *, days: int, by: Person, leaves_at: datetime | None = None
) -> None:
    """Reminds a person if nobody has answered a sent message after some days.

    They count from `leaves_at`, None for now. One person is reminded of a message: raises
    PolicyError if that is another, or if there can be no reminder.
    """
    if message.folder.role != FolderRole.SENT:
        raise PolicyError("Only sent messages wait for an answer.")
    due_at = calendar_days.later(leaves_at or clock.now(), days=days)
    _check_moment(due_at)
    _check_room(message.mailbox, 1)
    wanted = {"person": by, "due_at": due_at, "is_due": False}
    reminder, is_new = Reminder.objects.select_related("person").get_or_create(
        message_id=message.pk,
        kind=ReminderKind.FOLLOW_UP,
        defaults={"mailbox": message.mailbox, **wanted},
    )
    if reminder.person_id != by.pk:
        raise PolicyError(
            f"{reminder.person.name} has a reminder of this message already, and a "
            "message has only one. Ask them to remove it first."
        )
    if not is_new:
        Reminder.objects.filter(pk=reminder.pk).update(**wanted)


def shown_to(person: Person) -> QuerySet[Reminder]:
    """Returns the reminders that are a person's to see and to end.

    Those of a mailbox's snoozed messages are every member's, others their maker's alone.
    """
    return Reminder.objects.filter(Q(kind=ReminderKind.SNOOZE) | Q(person=person))


def of_message(message: Message, *, person: Person) -> dict[str, Reminder]:
    """Returns the reminders of a message by their kind, without those of other people."""
    return {one.kind: one for one in shown_to(person).filter(message=message)}


def times_of(messages: Collection[Message]) -> dict[int, datetime]:
    """Returns when each of some snoozed messages comes back, by its id."""
    ids = [message.pk for message in messages]
    rows = Reminder.objects.filter(message__in=ids, kind=ReminderKind.SNOOZE)
    return dict(rows.values_list("message_id", "due_at"))


def due(mailbox: Mailbox, *, person: Person) -> list[Reminder]:
    """Returns what a page of the mailbox shows: unread messages that came back, and the
    person's sent messages without an answer, latest first."""
    rows = Reminder.objects.filter(mailbox=mailbox, is_due=True).filter(
        Q(kind=ReminderKind.SNOOZE, message__is_read=False)
        | Q(kind=ReminderKind.FOLLOW_UP, person=person)
    )
    found = rows.select_related("message__folder").order_by("-due_at", "-pk")
    return list(found[:SHOWN])


@transaction.atomic
def cancel(reminder: Reminder) -> None:
    """Ends a reminder; a message that is still snoozed comes back now, as it is."""
    message = _locked_message(reminder)
    if message is not None and message.folder.role == FolderRole.SNOOZED:
        message_actions.move([message], reminder.folder or inbox(reminder.mailbox))
    reminder.delete()


def wake() -> int:
    """Wakes what is due; returns how many reminders were looked at. Idempotent.

    One that cannot be woken delays no other; the job fails then, and is tried again.
    """
    return batches.for_each(_waiting(), _wake)


def clean_up() -> int:
    """Deletes reminders that are over; returns how many. Idempotent."""
    over = Reminder.objects.filter(is_due=True).filter(
        Q(due_at__lt=clock.now() - FORGOTTEN_AFTER)
        | Q(kind=ReminderKind.SNOOZE, message__is_read=True)
    )
    return over.delete()[0]


def _waiting() -> Iterator[int]:
    """Yields the ids of what is due, for as long as one job works.

    Each id once, so that those which cannot be woken do not keep the rest waiting.
    """
    deadline, after = time.monotonic() + batches.JOB_SECONDS, 0
    due_now = Reminder.objects.filter(is_due=False, due_at__lte=clock.now())
    while ids := list(
        due_now.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        for after in ids:
            if time.monotonic() >= deadline:
                return
            yield after


@transaction.atomic
def _wake(pk: int) -> None:
    rows = Reminder.objects.select_for_update(of=("self",))
    reminder = rows.filter(pk=pk, is_due=False).select_related("mailbox").first()
    if reminder is None or reminder.due_at > clock.now():
        return
    message = _locked_message(reminder)
    if message is None:
        _wait_or_end(reminder)
    elif reminder.kind == ReminderKind.SNOOZE:
        _return(reminder, message)
    elif is_answered(message):
        reminder.delete()
    else:
        Reminder.objects.filter(pk=pk).update(is_due=True)
        mailbox_changes.note([reminder.mailbox_id])


def _return(reminder: Reminder, message: Message) -> None:
    """Brings a snoozed message back unread; one that was moved since stays there."""
    if message.folder.role != FolderRole.SNOOZED:
        reminder.delete()
        return
    message_actions.move([message], reminder.folder or inbox(reminder.mailbox))
    message_actions.mark_read([message], is_read=False)
    Reminder.objects.filter(pk=reminder.pk).update(is_due=True)


def _wait_or_end(reminder: Reminder) -> None:
    """A withdrawn message may be put back, into Snoozed: look again tomorrow."""
    if WithdrawnCopy.objects.filter(pk=reminder.message_id).exists():
        reminder.due_at += PAUSE
        reminder.save(update_fields=["due_at"])
    else:
        reminder.delete()


def is_answered(sent: Message) -> bool:
    """Whether a message that names this one in In-Reply-To or References has arrived.

    An automatic reply (RFC 3834) and a receipt (RFC 8098) are no answers.
    """
    own = conversation_id(
        HeaderBlock.salvage(f"In-Reply-To: {sent.message_id}\r\n\r\n".encode())
    )
    folders = sent.mailbox.folders.exclude(
        role__in=[FolderRole.SENT, FolderRole.DRAFTS]
    )
    rows = Message.objects.filter(
        folder__in=list(folders), thread__in={sent.thread, own}, pk__gt=sent.pk
    )
    candidates = rows.select_related("content", "mailbox").defer("content__body")
    loaded = list(candidates.order_by("pk")[:CANDIDATES])
    content_keys.load(loaded)
    return any(_answers(message, sent.message_id) for message in loaded)


def _answers(message: Message, message_id: str) -> bool:
    try:
        header = HeaderBlock.salvage(content.header(message))
    except UnreadableError:
        return False
    if not automatic_answers.is_by_a_person(header):
        return False
    named = f"{header.text('In-Reply-To')} {header.text('References')}"
    return bool(message_id) and message_id in named


def _locked_message(reminder: Reminder) -> Message | None:
    rows: QuerySet[Message] = Message.objects.filter(
        pk=reminder.message_id, mailbox=reminder.mailbox_id
    )
    locked = rows.select_for_update(of=("self",))
    return locked.select_related("folder", "mailbox").first()


def _can_snooze(message: Message) -> bool:
    return (
        not message.is_draft
        and (message.folder.takes_messages or message.folder.role == FolderRole.SNOOZED)
        and not message.folder.is_waste
    )


def _check_moment(moment: datetime) -> None:
    now = clock.now()
    if moment <= now:
        raise PolicyError("Choose a time that is still to come.")
    if moment > now + LONGEST:
        raise PolicyError("Choose a time within the next year.")


def _check_room(mailbox: Mailbox, more: int) -> None:
    if Reminder.objects.filter(mailbox=mailbox).count() + more > LIMIT:
        raise PolicyError(
            f"A mailbox has at most {LIMIT} snoozed messages and reminders."
        )


def _snoozed_folder(mailbox: Mailbox) -> Folder:
    """Returns the Snoozed folder; makes it if it is missing. The mailbox is locked."""
    found = Folder.objects.filter(mailbox=mailbox, role=FolderRole.SNOOZED).first()
    if found is not None:
        return found
    taken = set(mailbox.folders.values_list("name", flat=True))
    label = FolderRole.SNOOZED.label
    names = [label, *(f"{label} {number}" for number in range(2, len(taken) + 3))]
    name = next(name for name in names if name not in taken)
    return Folder.objects.create(mailbox=mailbox, role=FolderRole.SNOOZED, name=name)
