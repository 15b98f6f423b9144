"""Indexes delivered messages: in a job every minute, and before a search.

A message that is not indexed yet is marked so on its own row, so that none is missed
when a process dies.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from engine.database import batches
from engine.jobs.time_limit import JobTimeout
from engine.registry import index_passes
from engine.registry.models import Mailbox
from engine.storage import content, content_keys, previews
from engine.storage.models import Content, GapReason, Message
from engine.storage.search import index_table
from engine.storage.search.document import Document

log = logging.getLogger(__name__)
# Messages indexed in one transaction, and their octets, which bound the time that it takes.
CHUNK = 50
CHUNK_OCTETS = 4 * 1024 * 1024
# The most messages that a search waits for; the job does the rest.
CATCH_UP = 100


def index_waiting() -> int:
    """Indexes the messages that wait for it, long ones last; returns how many.

    In what time is left it brings those to the present folding that the index holds
    folded in an earlier way, and makes the previews that are missing, the newest first.
    """
    done = 0

    def turn() -> int:
        nonlocal done
        count = _index(_waiting().filter(size__lte=CHUNK_OCTETS)) or _index_long()
        done += count
        return (
            count
            or index_passes.step("messages", _reindex)
            or index_passes.step("previews", _make_previews)
        )

    batches.run(turn)
    return done


def catch_up(mailbox: Mailbox) -> int:
    """Indexes the newest messages of a mailbox; returns how many still wait for the job."""
    waiting = _waiting().filter(mailbox=mailbox)
    if not waiting.exists():  # as before most searches
        return 0
    for _ in range(CATCH_UP // CHUNK):
        if not _index(waiting.filter(size__lte=CHUNK_OCTETS)):
            break
    return waiting.count()


def _reindex(before: int) -> int | None:
    """Indexes a chunk again, below an id; 0 is above all. Returns the id that follows."""
    rows = Message.objects.filter(is_indexed=True).order_by("-pk")
    if before:
        rows = rows.filter(pk__lt=before)
    messages = _that_fit(
        rows.select_related("content", "mailbox__organisation")[:CHUNK]
    )
    if not messages:
        return None
    # A long one is found by its earlier words until its turn comes.
    long = [one.pk for one in messages if one.size > CHUNK_OCTETS]
    Message.objects.filter(pk__in=long).update(is_indexed=False)
    _put_all(one for one in messages if one.pk not in long)
    return messages[-1].pk


def _make_previews(before: int) -> int | None:
    """Makes the missing previews of a chunk, as `_reindex` goes through messages.

    Without those of long messages: nobody may wait for them meanwhile.
    """
    rows = Message.objects.filter(preview=None, size__lte=CHUNK_OCTETS).order_by("-pk")
    if before:
        rows = rows.filter(pk__lt=before)
    messages = _that_fit(rows.select_related("content", "mailbox")[:CHUNK])
    if not messages:
        return None
    content_keys.load(messages)
    previews.keep(messages)
    return messages[-1].pk


def _waiting() -> QuerySet[Message]:
    return Message.objects.filter(is_indexed=False)


@transaction.atomic
def _index(waiting: QuerySet[Message]) -> int:
    """Indexes a chunk, skipping what another process has locked; returns how many."""
    rows = waiting.select_for_update(skip_locked=True, of=("self",))
    messages = _that_fit(
        rows.select_related("content", "mailbox__organisation").order_by("-pk")[:CHUNK]
    )
    _put_all(messages)
    unseen = [message for message in messages if message.preview is None]
    content_keys.load(unseen)
    previews.keep(unseen)
    # Marked in the same transaction, also where a document failed: it would fail again
    # every minute and block the messages behind it.
    _mark(message.pk for message in messages)
    return len(messages)


def _put_all(messages: Iterable[Message]) -> None:
    wanted = [one for one in messages if _indexes(one) or not _is_decided(one)]
    content_keys.load(wanted)
    for message in wanted:
        _put(message)


def _indexes(message: Message) -> bool:
    return message.mailbox.organisation.indexes_mail


def _is_decided(message: Message) -> bool:
    """Whether its list's mark for attachments goes by what it offers.

    Earlier versions guessed by the header. The files of a draft are kept beside it.
    """
    return message.is_draft or message.has_attachments is (
        message.content.has_attachments
    )


def _that_fit(messages: Iterable[Message]) -> list[Message]:
    found: list[Message] = []
    room = CHUNK_OCTETS
    for message in messages:
        room -= message.size
        if found and room < 0:
            break
        found.append(message)
    return found


def _index_long() -> int:
    """Indexes one long message; returns 0 if none waits.

    Not in one transaction, so that nobody waits meanwhile for the message or, on SQLite,
    for the database. Only the job does it, of which one runs at a time.
    """
    waiting = _waiting().filter(size__gt=CHUNK_OCTETS).order_by("-pk")
    message = waiting.select_related("content", "mailbox__organisation").first()
    if message is None:
        return 0
    if _indexes(message) or not _is_decided(message):
        try:
            _put(message)
        except JobTimeout:
            # It would stand before all others again in the next run.
            if _indexes(message):
                _note_fault(message)
            _mark([message.pk])
            raise
    if not Message.objects.filter(pk=message.pk).update(is_indexed=True):
        index_table.forget([message.pk])  # erased meanwhile
    elif message.preview is None:
        previews.keep([message])
    return 1


def _put(message: Message) -> None:
    """Writes a message into the index, or that a fault prevents it."""
    try:
        if not _is_decided(message):
            _decide(message)
        if _indexes(message):
            index_table.put(Document(message))
    except (DatabaseError, OSError):
        # Not the message: it is indexed once the disk or the database can be used again.
        raise
    except Exception:
        log.exception("message %s cannot be read", message.pk)
        if _indexes(message):
            _note_fault(message)


def _decide(message: Message) -> None:
    try:
        has_attachments = content.has_attachments(message)
    except FileNotFoundError:  # the blobs were not restored with the database
        return
    Content.objects.filter(pk=message.content_id).update(
        has_attachments=has_attachments
    )
    Message.objects.filter(pk=message.pk).update(has_attachments=has_attachments)


def _note_fault(message: Message) -> None:
    index_table.forget([message.pk])
    index_table.note_gap(message.pk, message.mailbox_id, GapReason.FAULT)


def _mark(message_ids: Iterable[int]) -> None:
    Message.objects.filter(pk__in=list(message_ids)).update(is_indexed=True)
