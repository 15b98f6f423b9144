"""Indexes what accepted messages are found by, in a job that follows the queue."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import takewhile

from django.conf import settings
from django.db import transaction

from engine.database import batches, bulk_rows, clock
from engine.database.id_in import IdIn
from engine.encryption.errors import UnreadableError
from engine.encryption.models import COMMUNITY
from engine.incidents import message_keys
from engine.incidents.models import KeyIndex, MessageKey
from engine.queue.models import QueuedMessage
from engine.storage import content, content_keys
from engine.storage.content_keys import Held
from engine.storage.models import ContentKey

log = logging.getLogger(__name__)

# Messages in one step, and their octets, which bound the time that it takes.
STEP = 200
STEP_OCTETS = 16 * 1024 * 1024
# Ids are given out before they are committed: a message of which the id is lower than one
# that was seen already appears within this time.
LAG = timedelta(seconds=10)
PURGED_AT_ONCE = 5_000
_KEY = ("key", "at", "reference")


def index_new() -> int:
    """Indexes the messages accepted since the last run; returns how many."""
    return batches.run(_step)


def purge() -> int:
    """Deletes the keys of messages older than POSTERN_TRACE_DAYS; returns how many."""
    before = clock.now() - timedelta(days=settings.POSTERN.trace_days)

    def oldest() -> int:
        rows = MessageKey.objects.order_by("pk").values_list("pk", "at")
        gone = [pk for pk, at in rows[:PURGED_AT_ONCE] if at < before]
        MessageKey.objects.filter(IdIn("pk", gone)).delete()
        return len(gone)

    return batches.run(oldest)


def _step() -> int:
    """Indexes some messages. What is read is read outside the transaction that writes."""
    index, _ = KeyIndex.objects.get_or_create(pk=KeyIndex.ONLY)
    now = clock.now()
    rows = QueuedMessage.objects.filter(pk__gt=index.position).select_related("content")
    recent = takewhile(
        lambda row: row.accepted_at < now - LAG, rows.order_by("pk")[:STEP]
    )
    messages = list(_that_fit(recent))
    keys = list(_keys(messages))
    with transaction.atomic():
        locked = KeyIndex.objects.select_for_update().get(pk=KeyIndex.ONLY)
        if locked.position != index.position:
            return len(messages)  # another worker did them meanwhile
        bulk_rows.insert(MessageKey, _KEY, keys)
        if messages:
            locked.position = messages[-1].pk
            locked.since = locked.since or messages[0].accepted_at
        is_last = len(messages) < STEP
        locked.until = (
            now - LAG
            if is_last and not _is_cut(messages)
            else (messages[-1].accepted_at)
        )
        locked.save()
    return len(messages)


def _that_fit(messages: Iterable[QueuedMessage]) -> Iterator[QueuedMessage]:
    room = STEP_OCTETS
    for message in messages:
        yield message
        room -= message.content.size
        if room < 0:
            return


def _is_cut(messages: list[QueuedMessage]) -> bool:
    return sum(one.content.size for one in messages) > STEP_OCTETS


def _keys(messages: list[QueuedMessage]) -> Iterator[tuple[bytes, object, str]]:
    holders = _holders(messages)
    content_keys.load(holders.values())
    for message in messages:
        for key in sorted(_keys_of(message, holders[message.pk])):
            yield key, message.accepted_at, message.reference


def _holders(messages: list[QueuedMessage]) -> dict[int, Held]:
    """Returns for each message its content with an organisation that can read it."""
    encrypted = [one.content_id for one in messages if one.content.is_encrypted]
    rows = ContentKey.objects.filter(content__in=encrypted)
    readers = dict(rows.values_list("content_id", "organisation_id"))
    return {
        one.pk: Held(one.content, readers.get(one.content_id, COMMUNITY))
        for one in messages
    }


def _keys_of(message: QueuedMessage, held: Held) -> set[bytes]:
    found: set[bytes] = set()
    try:
        header = content.header(held)
        found = message_keys.of_header(header, message.sender)
        if message.content.has_attachments is not False:
            found |= message_keys.of_files(header, content.body_source(held))
    except (FileNotFoundError, UnreadableError):
        # The blob was not restored, or the organisation's key was destroyed.
        log.warning("%s is found by less: it cannot be read", message.reference)
    return found
