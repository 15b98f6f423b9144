"""Says by name which messages and files a restore could not bring back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain

from engine.backups.manifest import Blob
from engine.blobs.interface import Kind
from engine.queue.models import QueuedMessage
from engine.storage.models import Content, Message, WithdrawnCopy


def lines(faults: Collection[Blob]) -> Iterator[str]:
    """Yields a line for each message in a mailbox or queue, and for each other file."""
    for blob in faults:
        found = list(_messages(blob)) if blob.kind == Kind.BODY else []
        yield from found or [f"{blob.kind}/{blob.key} is {blob.fault}"]


def _messages(blob: Blob) -> Iterator[str]:
    contents = list(Content.objects.in_blobs([blob.key]).values_list("pk", flat=True))
    kept = Message.objects.filter(content__in=contents)
    withdrawn = WithdrawnCopy.objects.filter(content__in=contents)
    rows: Iterator[Message | WithdrawnCopy] = chain(
        kept.select_related("mailbox"), withdrawn.select_related("mailbox")
    )
    for message in rows:
        yield (
            f"{message.mailbox.address}: message {message.pk} of "
            f"{message.received_at:%d %B %Y, %H:%M} UTC from "
            f"{message.envelope_sender or 'the null sender'} is {blob.fault}"
        )
    for queued in QueuedMessage.objects.filter(content__in=contents):
        yield f"queue: message {queued.reference} is {blob.fault}"
