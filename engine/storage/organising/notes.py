"""Internal notes of a group mailbox: for its members alone, never part of a message."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from engine.audit.record import lock_chain, record
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, MailboxKind, Person
from engine.storage import mailbox_changes
from engine.storage.models import NOTE_LENGTH, InternalNote, Message

# Notes of one conversation.
NOTES_LIMIT = 100


def count(mailbox: Mailbox) -> int:
    """Returns how many notes the members of a mailbox keep."""
    return InternalNote.objects.filter(mailbox=mailbox).count()


@transaction.atomic
def add(mailbox: Mailbox, message: Message, *, text: str, by: Person) -> InternalNote:
    """Adds a note to a message. Raises PolicyError with the sentence to show."""
    if mailbox.kind != MailboxKind.GROUP:
        raise PolicyError("Only members of a group mailbox write notes.")
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise PolicyError("Write the note first.")
    if len(text) > NOTE_LENGTH:
        raise PolicyError(f"A note has at most {NOTE_LENGTH} characters.")
    lock_chain()  # before every other lock, as actions of the registry do
    # Locks the mailbox's row, so that two requests cannot both pass the check of the number.
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    others = InternalNote.objects.filter(mailbox=mailbox, thread=message.thread)
    if others.count() >= NOTES_LIMIT:
        raise PolicyError(
            f"A conversation has at most {NOTES_LIMIT} notes. Delete some first."
        )
    note = InternalNote.objects.create(
        mailbox=mailbox,
        message=message,
        thread=message.thread,
        author=by,
        text=text,
        at=timezone.now(),
    )
    mailbox_changes.note([mailbox.pk])
    _audit("mailbox.note_added", mailbox, note, by=by)
    return note


@transaction.atomic
def remove(mailbox: Mailbox, note_id: int, *, by: Person) -> bool:
    """Deletes a note that the person wrote; returns whether there was one."""
    lock_chain()
    note = InternalNote.objects.filter(mailbox=mailbox, author=by, pk=note_id).first()
    if note is None:
        return False
    _audit("mailbox.note_removed", mailbox, note, by=by)
    note.delete()
    mailbox_changes.note([mailbox.pk])
    return True


def _audit(event: str, mailbox: Mailbox, note: InternalNote, *, by: Person) -> None:
    record(
        event,
        mailbox,
        organisation_key=mailbox.organisation_id,
        detail={"message": note.message_id, "note": note.pk},
        by=by,
    )
