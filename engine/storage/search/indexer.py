"""Indexes delivered messages: in a job every minute, and before a search.

A message that is not indexed yet is marked so on its own row, so that none is missed
when a process dies.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from engine.registry.models import Mailbox
from engine.storage import content_keys
from engine.storage.models import Message
from engine.storage.search import index_table
from engine.storage.search.document import Document, document_of

log = logging.getLogger(__name__)
# Messages indexed in one transaction.
CHUNK = 50
# The most messages that a search waits for; the job does the rest.
CATCH_UP = 100
# Messages in one run of the job.
ROUND = 5000


def index_waiting() -> int:
    """Indexes the messages that wait for it; returns how many."""
    done = 0
    while done < ROUND:
        indexed = _index(_waiting())
        if not indexed:
            break
        done += indexed
    return done


def catch_up(mailbox: Mailbox) -> bool:
    """Indexes the newest messages of a mailbox; returns whether it is now complete."""
    waiting = _waiting().filter(mailbox=mailbox)
    for _ in range(CATCH_UP // CHUNK):
        if _index(waiting) < CHUNK:
            return True
    return not waiting.exists()


def _waiting() -> QuerySet[Message]:
    return Message.objects.filter(is_indexed=False)


@transaction.atomic
def _index(waiting: QuerySet[Message]) -> int:
    """Indexes a chunk, skipping what another process has locked; returns how many."""
    rows = waiting.select_for_update(skip_locked=True, of=("self",))
    messages = list(
        rows.select_related("content", "mailbox__organisation").order_by("-pk")[:CHUNK]
    )
    if messages:
        wanted = [one for one in messages if one.mailbox.organisation.indexes_mail]
        content_keys.load(wanted)
        # Marked in the same transaction, also where a document failed: it would fail again
        # every minute and block the messages behind it.
        index_table.put([one for message in wanted if (one := _document(message))])
        _mark(message.pk for message in messages)
    return len(messages)


def _document(message: Message) -> Document | None:
    """Returns the document; None where a fault prevents it, so that others are indexed."""
    try:
        return document_of(message)
    except OSError:
        # The disk, not the message: it is indexed once the disk can be read again.
        raise
    except Exception:
        log.exception("message %s cannot be searched", message.pk)
        return None


def _mark(message_ids: Iterable[int]) -> None:
    Message.objects.filter(pk__in=list(message_ids)).update(is_indexed=True)
