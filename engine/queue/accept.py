"""Accepting messages: from here on they are ours to deliver or to report."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, transaction
from django.utils import timezone

from engine.mail.envelope import Envelope
from engine.queue import hosted, schedule
from engine.queue.models import QueuedMessage, Recipient, Source
from engine.storage import content
from engine.storage.content import KeptContent
from engine.storage.models import Content
from engine.trace import record
from engine.trace.models import EventKind

log = logging.getLogger(__name__)

# How long a resend of the same bytes to the same people counts as the same message.
RESEND_WINDOW = timedelta(hours=24)

# How many messages one transaction may carry.
BATCH_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that passed every check and whose body is safe on the disk.

    `destinations` stands beside the envelope's recipients, one each. `fingerprint`
    is empty where a resend cannot be told from a new message.
    """

    envelope: Envelope
    destinations: tuple[str, ...]
    kept: KeptContent
    source: Source
    organisation_id: int | None = None
    person_id: int | None = None
    fingerprint: str = ""
    reference: str = field(default_factory=lambda: new_reference())
    detail: dict[str, Any] = field(default_factory=dict)


def new_reference() -> str:
    """A queue id: what replies, traces and helpdesk calls name a message by."""
    return secrets.token_hex(8).upper()


@transaction.atomic
def commit(batch: Sequence[Incoming]) -> list[str]:
    """Commit messages in one transaction and return their references.

    When this returns, all of it is on the disk. A resend gets the reference of the
    message that it repeats, and is not kept again.
    """
    known = _known_fingerprints(batch)
    fresh: list[Incoming] = []
    references = []
    for incoming in batch:
        reference = known.get(incoming.fingerprint)
        if reference is None:
            reference = incoming.reference
            fresh.append(incoming)
            if incoming.fingerprint:
                known[incoming.fingerprint] = reference
        references.append(reference)
    if fresh:
        _insert(fresh)
    return references


def _known_fingerprints(batch: Sequence[Incoming]) -> dict[str, str]:
    fingerprints = [i.fingerprint for i in batch if i.fingerprint]
    rows = QueuedMessage.objects.filter(
        fingerprint__in=fingerprints, accepted_at__gt=timezone.now() - RESEND_WINDOW
    )
    return dict(rows.values_list("fingerprint", "reference"))


def _insert(batch: Sequence[Incoming]) -> None:
    now = timezone.now()
    contents = Content.objects.bulk_create([content.row(i.kept) for i in batch])
    messages = QueuedMessage.objects.bulk_create(
        [
            QueuedMessage(
                reference=incoming.reference,
                content=row,
                sender=str(incoming.envelope.sender or ""),
                source=incoming.source,
                organisation_id=incoming.organisation_id,
                person_id=incoming.person_id,
                fingerprint=incoming.fingerprint,
                accepted_at=now,
                expires_at=now + schedule.LIFETIME,
                envelope_id=incoming.envelope.envelope_id,
                dsn_full=incoming.envelope.wants_full,
            )
            for incoming, row in zip(batch, contents, strict=True)
        ]
    )
    recipients = Recipient.objects.bulk_create(
        [
            Recipient(
                message=message,
                address=str(recipient.address),
                original=recipient.original,
                notify=recipient.notify,
                destination=destination,
                next_attempt_at=now,
            )
            for incoming, message in zip(batch, messages, strict=True)
            for recipient, destination in zip(
                incoming.envelope.recipients, incoming.destinations, strict=True
            )
        ]
    )
    record.events(
        [record.event(i.reference, EventKind.RECEIVED, **_facts(i)) for i in batch]
    )
    hosted.deliver_hosted(
        [(r.message, r) for r in recipients if r.destination == hosted.DESTINATION]
    )


def _facts(incoming: Incoming) -> dict[str, Any]:
    return {
        "sender": str(incoming.envelope.sender or ""),
        "recipients": len(incoming.envelope.recipients),
        "size": incoming.kept.size,
        "source": str(incoming.source),
        "organisation_id": incoming.organisation_id,
        **incoming.detail,
    }


type_of_waiting = tuple[Incoming, "asyncio.Future[str]"]


class Committer:
    """Commits for many sessions at once, so that one flush of the disk serves them all.

    While one batch is being committed, in a thread of its own, the next one gathers.
    """

    def __init__(self, *, on_commit: Callable[[], None]) -> None:
        self._on_commit = on_commit
        self._waiting: list[type_of_waiting] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._task: asyncio.Task[None] | None = None

    async def commit(self, incoming: Incoming) -> str:
        """Commit one message and return its reference.

        The commit goes on even when the caller is cancelled: the peer that hung up
        may resend, and is then recognised. Raises DatabaseError when it failed.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        reference: str = await asyncio.shield(future)
        return reference

    async def close(self) -> None:
        """Finish what is waiting."""
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._waiting[:BATCH_LIMIT]
            del self._waiting[:BATCH_LIMIT]
            results = await loop.run_in_executor(
                self._thread, _commit_each, [incoming for incoming, _ in batch]
            )
            for (_, future), result in zip(batch, results, strict=True):
                _settle(future, result)
            self._on_commit()


def _settle(future: asyncio.Future[str], result: str | DatabaseError) -> None:
    if future.done():
        return
    if isinstance(result, DatabaseError):
        future.set_exception(result)
    else:
        future.set_result(result)


def _commit_each(batch: Sequence[Incoming]) -> Sequence[str | DatabaseError]:
    """Commit together; when that fails, one by one, so that one cannot spoil the rest."""
    close_old_connections()
    try:
        return commit(batch)
    except DatabaseError:
        log.exception("a batch of %d was not committed", len(batch))
    return [_commit_alone(incoming) for incoming in batch]


def _commit_alone(incoming: Incoming) -> str | DatabaseError:
    try:
        return commit([incoming])[0]
    except DatabaseError as error:
        log.exception("message %s was not committed", incoming.reference)
        return error
