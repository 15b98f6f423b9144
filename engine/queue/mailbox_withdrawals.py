"""Withdraws delivered messages from mailboxes and puts them back, and notes it in their
traces.

Each slice is one transaction: rows, quota, audit and trace. A run that is interrupted is
simply repeated, with the same ids: those that are done are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from django.db import transaction

from engine.audit.record import Actor
from engine.queue.models import Recipient, RecipientStatus
from engine.storage import mailbox_changes, withdrawals
from engine.storage.models import Message, WithdrawalKind, WithdrawnCopy
from engine.storage.withdrawals import Cause
from engine.trace import event_log
from engine.trace.models import Event, EventKind
from engine.transport.local_mailboxes import DELIVERED, stored_as

__all__ = ["SLICE", "Cause", "put_back", "put_back_slice", "withdraw", "withdraw_slice"]

# Messages in one transaction, so that no delivery waits for long.
SLICE = 200


def withdraw(message_ids: Iterable[int], cause: Cause) -> int:
    """Withdraws any number of messages, by id; returns how many were in a mailbox.

    In slices, each a transaction of its own, so not inside another one. A job that shows
    its progress calls `withdraw_slice` itself.
    """
    return sum(len(withdraw_slice(ids, cause)) for ids in _slices(message_ids))


@transaction.atomic
def withdraw_slice(
    message_ids: Collection[int], cause: Cause
) -> Collection[WithdrawnCopy]:
    """Withdraws up to SLICE messages in one transaction; returns those that were in a
    mailbox."""
    copies = withdrawals.take_out(message_ids, cause)
    is_recalled = cause.kind is WithdrawalKind.RECALLED
    kind = EventKind.RECALLED if is_recalled else EventKind.WITHDRAWN
    _trace(copies, kind, cause.kind.label, cause=cause.kind, reason=cause.reason)
    return copies


def put_back(message_ids: Iterable[int], *, by: Actor | None, reason: str = "") -> int:
    """Puts any number of withdrawn messages back; returns how many were withdrawn."""
    return sum(
        len(put_back_slice(ids, by=by, reason=reason)) for ids in _slices(message_ids)
    )


@transaction.atomic
def put_back_slice(
    message_ids: Collection[int], *, by: Actor | None, reason: str = ""
) -> Collection[Message]:
    """Puts up to SLICE withdrawn messages back in one transaction; returns them."""
    messages = withdrawals.put_back(message_ids, by=by, reason=reason)
    _trace(messages, EventKind.PUT_BACK, str(DELIVERED), reason=reason)
    return messages


def _slices(message_ids: Iterable[int]) -> Iterator[list[int]]:
    ids = iter(message_ids)
    while piece := list(islice(ids, SLICE)):
        yield piece


def _trace(
    rows: Collection[Message | WithdrawnCopy],
    event: EventKind,
    outcome: str,
    **detail: str,
) -> None:
    """Adds an event for each recipient whose copy it was, and the outcome to the queue.

    Mail that was not delivered by the queue, or before its trace named the copies, has
    none.
    """
    by_id = {row.pk: row for row in rows}
    references = {row.reference for row in rows if row.reference}
    delivered = Event.objects.filter(
        reference__in=references, kind=EventKind.DELIVERED, detail__message__in=by_id
    )
    recipients: defaultdict[str, set[str]] = defaultdict(set)
    events = []
    for one in delivered.order_by("pk"):
        row = by_id[one.detail["message"]]
        stored = stored_as(row.mailbox_id, row.pk)
        events.append(
            event_log.event(one.reference, event, one.recipient, **stored, **detail)
        )
        recipients[one.reference].add(one.recipient)
    event_log.save(events)
    mailbox_changes.note_senders(recipients.keys())
    for reference, addresses in recipients.items():
        Recipient.objects.filter(
            message__reference=reference,
            address__in=addresses,
            status=RecipientStatus.DELIVERED,
        ).update(last_reply=outcome)
