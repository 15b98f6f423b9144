"""Recalls a message for its author: from the queue, and from hosted mailboxes where nobody
has seen it.

A copy is taken back while its first use is empty, under a lock on its row. An opening
notes the use on the same row first, so one of the two wins and never both. What an operator
holds in the queue stays, so that no author removes the evidence of an incident. What came
of it is in the trace, an event for each recipient; how members of lists fared is in the
trace of the list's own message, which its owner sees and the author does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import Q

from engine.audit.record import Actor
from engine.audit.record import record as audit
from engine.database import clock
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.queue import mailbox_withdrawals
from engine.queue.delivery_status import one_message
from engine.queue.mailbox_withdrawals import SLICE, Cause
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.registry.errors import PolicyError
from engine.storage.models import (
    FirstUse,
    Message,
    WithdrawalKind,
    WithdrawnCopy,
)
from engine.trace import event_log
from engine.trace.models import Event, EventKind
from engine.trace.timeline import (
    RECALLED_FROM_MANY,
    STAYS_HELD,
    TAKEN_BACK,
    TAKEN_BACK_REASON,
)

# Slices that the author waits for; a job does the rest, of a list with many members.
AT_ONCE = 5
JOB = "engine.queue.tasks.finish_recall"
# After a recall, the job begins once more: where the process ended in the middle, and for
# what was being delivered meanwhile, such as to the members of a list.
AGAIN_AFTER = timedelta(minutes=1)
MAX_REASON = 200
# Other holds are an operator's to decide on. What is held after a restore has most likely
# arrived.
ENDED_BY_RECALL = ("", Hold.SUSPENSION)
STORED = ("mailbox", "message")

# Why copies stay, by recipient: the detail of the event.
Stays: TypeAlias = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Author:
    """Who recalls, as the audit trail sees them, also in a job later."""

    audit_key: str
    name: str

    def __str__(self) -> str:
        return self.name


def check_can_recall(sent: Message) -> None:
    """Raises PolicyError for a message that its mailbox did not send, or of which nothing
    is on record."""
    delivery = one_message.of_sent_copy(sent)
    if delivery is None:
        raise PolicyError("Only a message that you sent can be recalled.")
    if not delivery.recipients:
        raise PolicyError(
            "The service no longer has a record of this message, so it cannot be "
            "recalled."
        )


def recall(sent: Message, *, reason: str = "", by: Actor) -> None:
    """Recalls a sent message wherever it still can be, by its copy in Sent.

    `reason` is shown to the recipients. A repetition tries again where something was on
    its way. Raises PolicyError.
    """
    check_can_recall(sent)
    if len(reason) > MAX_REASON:
        raise PolicyError(f"Enter a reason of at most {MAX_REASON} characters.")
    author = Author(by.audit_key, str(by))
    args = sent.reference, reason, author.audit_key, author.name
    with transaction.atomic():
        audit(
            "message.recalled",
            sent.mailbox,
            organisation_key=sent.mailbox.organisation_id,
            detail={"reference": sent.reference, "reason": reason},
            by=by,
        )
        jobs.add(JOB, *args, lane=Lane.LONG, delay=AGAIN_AFTER)
    slices = _slices(sent.reference, reason, author)
    for _, _ in zip(range(AT_ONCE), slices, strict=False):
        pass
    if next(slices, None) is not None:
        jobs.add(JOB, *args, lane=Lane.LONG)


def finish(reference: str, reason: str, author: Author) -> None:
    """Recalls a message wherever it still can be. What is done already stays as it is."""
    for _ in _slices(reference, reason, author):
        pass


def _slices(reference: str, reason: str, author: Author) -> Iterator[int]:
    """Recalls a message and those that lists sent on for it; yields after each
    transaction."""
    cause = Cause(WithdrawalKind.RECALLED, author, reason, f"recall:{reference}")
    left, seen = [reference], {reference}
    while left:
        current = left.pop()
        while taken := _take_back_slice(current):
            yield taken
        after = 0
        while after := _note_held(current, after):
            yield after
        while events := _delivered(current, after):
            after = events[-1].pk
            further = _recall_slice(events, cause)
            left += [one for one in further if one not in seen]
            seen |= further
            yield len(events)


@transaction.atomic
def _take_back_slice(reference: str) -> int:
    """Drops recipients that wait in the queue; returns how many."""
    free = Q(leased_until=None) | Q(leased_until__lte=clock.now())
    rows = Recipient.objects.filter(
        free,
        message__reference=reference,
        status__in=[RecipientStatus.QUEUED, RecipientStatus.HELD],
        hold__in=ENDED_BY_RECALL,
    ).order_by("pk")
    locked = list(rows.select_for_update(of=("self",))[:SLICE])
    Recipient.objects.filter(pk__in=[row.pk for row in locked]).update(
        status=RecipientStatus.DROPPED,
        hold="",
        finished_at=clock.now(),
        leased_until=None,
        leased_by="",
        last_reply=TAKEN_BACK,
    )
    event_log.save(
        event_log.event(
            reference, EventKind.DROPPED, row.address, reason=TAKEN_BACK_REASON
        )
        for row in locked
    )
    return len(locked)


@transaction.atomic
def _note_held(reference: str, after: int) -> int:
    """Adds an event for each recipient that an operator holds; returns the last one's id,
    or 0 where there are no more."""
    rows = Recipient.objects.filter(
        message__reference=reference, status=RecipientStatus.HELD, pk__gt=after
    )
    rows = rows.exclude(hold__in=ENDED_BY_RECALL).order_by("pk")
    locked = list(rows.select_for_update(of=("self",))[:SLICE])
    _note_stays(reference, {row.address: {"why": STAYS_HELD} for row in locked})
    return locked[-1].pk if locked else 0


def _delivered(reference: str, after: int) -> Sequence[Event]:
    rows = Event.objects.filter(
        reference=reference,
        kind__in=[EventKind.DELIVERED, EventKind.RELAYED, EventKind.EXPANDED],
        pk__gt=after,
    )
    return list(rows.order_by("pk")[:SLICE])


@transaction.atomic
def _recall_slice(events: Sequence[Event], cause: Cause) -> set[str]:
    """Recalls what these deliveries of one message put into mailboxes, and notes what stays.

    Returns the references under which lists sent the message on.
    """
    # Locked, so that of two recalls at one moment the later sees what the first has noted.
    rows = Event.objects.filter(pk__in=[one.pk for one in events]).order_by("pk")
    list(rows.select_for_update().values_list("pk"))
    stays = _withdraw_unused([one for one in events if _stored(one)], cause)
    for one in events:
        if one.kind == EventKind.RELAYED:
            stays[one.pk] = "outside"
        elif one.kind == EventKind.DELIVERED and not _stored(one):
            stays[one.pk] = "unknown"  # by an earlier version
    _note_stays(
        events[0].reference,
        {
            # With the copy as in the delivery: whose event it is goes by it.
            one.recipient: {
                "why": stays[one.pk],
                **{name: one.detail[name] for name in STORED if name in one.detail},
            }
            for one in events
            if one.pk in stays
        },
    )
    sent_on = [one for one in events if "sent_on_as" in one.detail]
    _note_lists(sent_on, cause)
    return {str(one.detail["sent_on_as"]) for one in sent_on}


def _withdraw_unused(events: Sequence[Event], cause: Cause) -> dict[int, str]:
    """Withdraws what nobody has seen; returns why other deliveries stay, by event."""
    ids = {_stored(event) for event in events}
    rows = Message.objects.filter(pk__in=ids).order_by("pk")
    uses = dict(rows.select_for_update(of=("self",)).values_list("pk", "first_use"))
    mailbox_withdrawals.withdraw_slice([pk for pk in ids if uses.get(pk) == ""], cause)
    gone = WithdrawnCopy.objects.filter(pk__in=ids)
    withdrawn = set(gone.values_list("pk", flat=True))
    return {
        event.pk: "unknown" if uses.get(stored) == FirstUse.UNKNOWN else "used"
        for event in events
        if (stored := _stored(event)) not in withdrawn
    }


def _stored(event: Event) -> int:
    """Returns the id of the message that a delivery put into a mailbox, or 0."""
    if event.kind != EventKind.DELIVERED:
        return 0
    return int(event.detail.get("message") or 0)


def _note_stays(reference: str, stays: Stays) -> None:
    """Adds an event for each recipient whose copy stays: one while it is held, and one
    after its delivery."""
    if not stays:
        return
    noted = Event.objects.filter(
        reference=reference, kind=EventKind.NOT_RECALLED, recipient__in=stays
    )
    known = {
        (address, detail.get("why") == STAYS_HELD)
        for address, detail in noted.values_list("recipient", "detail")
    }
    event_log.save(
        event_log.event(reference, EventKind.NOT_RECALLED, address, **detail)
        for address, detail in stays.items()
        if (address, detail["why"] == STAYS_HELD) not in known
    )


def _note_lists(events: Sequence[Event], cause: Cause) -> None:
    """Adds an event for each list, which says nothing of its members."""
    if not events:
        return
    reference = events[0].reference
    addresses = [one.recipient for one in events]
    noted = Event.objects.filter(
        reference=reference, kind=EventKind.RECALLED, recipient__in=addresses
    )
    known = set(noted.values_list("recipient", flat=True))
    event_log.save(
        event_log.event(
            reference,
            EventKind.RECALLED,
            address,
            cause=cause.kind,
            reason=cause.reason,
            of_many=True,
        )
        for address in addresses
        if address not in known
    )
    Recipient.objects.filter(
        message__reference=reference,
        address__in=addresses,
        status=RecipientStatus.EXPANDED,
    ).update(last_reply=RECALLED_FROM_MANY)
