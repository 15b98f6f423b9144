"""Delivery states of many messages, with three statements at most, for lists of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Max, Min, QuerySet, Value, When
from django.db.models.fields.json import KT

from engine.database import clock
from engine.queue.delivery_status import reasons
from engine.queue.delivery_status.states import DeliveryState, Group, MessageDelivery
from engine.queue.models import Recipient, RecipientStatus
from engine.storage.models import WithdrawalKind
from engine.trace.models import Event, EventKind
from engine.trace.timeline import (
    RECALLED_FROM_MANY,
    TAKEN_BACK,
    TAKEN_BACK_REASON,
)

# An untried recipient that has been due for longer waits; before, it is on its way.
PATIENCE = timedelta(minutes=1)

LIMIT = 1_000  # recipients, or events, of one message that are read

# The state that each status means, without what `state_expression` tells apart.
STATES = {
    RecipientStatus.QUEUED: DeliveryState.WAITING,
    RecipientStatus.HELD: DeliveryState.WAITING,
    RecipientStatus.DELIVERED: DeliveryState.DELIVERED,
    RecipientStatus.RELAYED: DeliveryState.DELIVERED,
    RecipientStatus.EXPANDED: DeliveryState.DELIVERED,
    RecipientStatus.FAILED: DeliveryState.RETURNED,
    RecipientStatus.DROPPED: DeliveryState.RETURNED,
}
# What became of a copy after its delivery, by the last reply of its recipient.
AFTER_DELIVERY = {
    WithdrawalKind.RECALLED.label: DeliveryState.RECALLED,
    RECALLED_FROM_MANY: DeliveryState.PARTLY_RECALLED,
    WithdrawalKind.OPERATOR.label: DeliveryState.WITHDRAWN,
    WithdrawalKind.INFECTED.label: DeliveryState.WITHDRAWN,
}
LATER_EVENTS = (EventKind.RECALLED, EventKind.WITHDRAWN, EventKind.PUT_BACK)
FINAL_EVENTS = {
    EventKind.DELIVERED: DeliveryState.DELIVERED,
    EventKind.RELAYED: DeliveryState.DELIVERED,
    EventKind.EXPANDED: DeliveryState.DELIVERED,
    EventKind.FAILED: DeliveryState.RETURNED,
    EventKind.DROPPED: DeliveryState.RETURNED,
}


def of_messages(references: Collection[str]) -> dict[str, MessageDelivery]:
    """Returns the deliveries of messages by reference.

    Messages with a null sender, and those of which nothing is on record, are left out.
    """
    if not references:
        return {}
    found = _from_queue(references)
    purged = set(references) - found.keys()
    return found | _from_trace(purged) if purged else found


def state_expression(now: datetime) -> Case:
    """Returns the SQL expression of a recipient's delivery state."""
    fresh = When(
        status=RecipientStatus.QUEUED,
        last_reply="",
        next_attempt_at__gt=now - PATIENCE,
        then=Value(DeliveryState.SENDING.value),
    )
    taken_back = When(
        status=RecipientStatus.DROPPED,
        last_reply=TAKEN_BACK,
        then=Value(DeliveryState.TAKEN_BACK.value),
    )
    later = [
        When(
            status__in=[RecipientStatus.DELIVERED, RecipientStatus.EXPANDED],
            last_reply=reply,
            then=Value(state.value),
        )
        for reply, state in AFTER_DELIVERY.items()
    ]
    others = [When(status=s, then=Value(state.value)) for s, state in STATES.items()]
    return Case(fresh, taken_back, *later, *others)


def _from_queue(references: Collection[str]) -> dict[str, MessageDelivery]:
    now = clock.estimated_now()
    rows = (
        Recipient.objects.filter(message__reference__in=references)
        .exclude(message__sender="")
        .annotate(state=state_expression(now))
        .values("message__reference", "state", "hold")
        .annotate(
            count=Count("pk"),
            at=Max("finished_at"),
            next=Min("next_attempt_at"),
            first_reply=Min("last_reply"),
            newest_reply=Max("last_reply"),
            since=Min("message__accepted_at"),
            until=Max("message__expires_at"),
        )
        .order_by()
    )
    by_reference: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_reference[row["message__reference"]].append(row)
    return {
        reference: MessageDelivery.of(
            (_group(row, now) for row in some),
            since=some[0]["since"],
            until=some[0]["until"],
        )
        for reference, some in by_reference.items()
    }


def _group(row: Mapping[str, Any], now: datetime) -> Group:
    state = DeliveryState(row["state"])
    is_waiting = state is DeliveryState.WAITING
    return Group(
        state,
        row["count"],
        row["at"],
        next_attempt(row["next"], row["hold"], now) if is_waiting else None,
        _why(state, row["hold"], row["first_reply"], row["newest_reply"]),
        bool(row["hold"]),
    )


def next_attempt(at: datetime, hold: str, now: datetime) -> datetime | None:
    """Returns when it is tried next; None where it is held, or is due already and waits
    for its server."""
    return at if not hold and at > now else None


def _why(state: DeliveryState, hold: str, *replies: str) -> str:
    """Returns the reason where the first and the last reply mean the same."""
    if state is DeliveryState.WAITING:
        found = {reasons.why_waiting(hold, reply) for reply in replies}
    elif state is DeliveryState.RETURNED:
        found = {reasons.of_reply(reply) for reply in replies}
    else:
        return ""
    return found.pop() if len(found) == 1 else ""


def _from_trace(references: Collection[str]) -> dict[str, MessageDelivery]:
    """Returns the deliveries of messages that the queue has purged: all are final."""
    rows = (
        final_events(references)
        .values("reference", "kind", reason=KT("detail__reason"))
        .annotate(count=Count("pk"), last=Max("at"), sender=Max(KT("detail__sender")))
        .order_by()
    )
    groups: defaultdict[str, list[Group]] = defaultdict(list)
    accepted, changed = {}, set()
    for row in rows:
        if row["kind"] in LATER_EVENTS:
            changed.add(row["reference"])
            continue
        if row["kind"] == EventKind.RECEIVED:
            if row["sender"]:
                accepted[row["reference"]] = row["last"]
            continue
        state = final_state(row["kind"], row["reason"] or "")
        groups[row["reference"]].append(Group(state, row["count"], row["last"]))
    if changed:
        groups |= _latest(changed)
    return {
        reference: MessageDelivery.of(groups[reference], since=since)
        for reference, since in accepted.items()
    }


def _latest(references: Collection[str]) -> dict[str, list[Group]]:
    """Returns the groups of messages by the latest event of each recipient."""
    rows = (
        newest(final_events(references).exclude(kind=EventKind.RECEIVED))
        .values(
            "reference",
            "kind",
            reason=KT("detail__reason"),
            of_many=KT("detail__of_many"),
        )
        .annotate(count=Count("pk"), last=Max("at"))
        .order_by()
    )
    groups: defaultdict[str, list[Group]] = defaultdict(list)
    for row in rows:
        state = _state(row["kind"], row["reason"] or "", is_part=bool(row["of_many"]))
        groups[row["reference"]].append(Group(state, row["count"], row["last"]))
    return groups


def newest(events: QuerySet[Event]) -> QuerySet[Event]:
    """Returns the latest of these events for each recipient of each message."""
    by_recipient = events.order_by().values("reference", "recipient")
    latest = by_recipient.annotate(latest=Max("pk")).values("latest")
    return Event.objects.filter(pk__in=latest)


def state_after(event: Event) -> DeliveryState:
    """Returns the state that a final event, or one after the delivery, leads to."""
    reason, is_part = event.detail.get("reason", ""), event.detail.get("of_many")
    return _state(event.kind, str(reason), is_part=bool(is_part))


def _state(kind: str, reason: str, *, is_part: bool) -> DeliveryState:
    match kind:
        case EventKind.RECALLED:
            return DeliveryState.PARTLY_RECALLED if is_part else DeliveryState.RECALLED
        case EventKind.WITHDRAWN:
            return DeliveryState.WITHDRAWN
        case EventKind.PUT_BACK:
            return DeliveryState.DELIVERED
    return final_state(kind, reason)


def final_events(references: Collection[str]) -> QuerySet[Event]:
    """Returns the acceptance and the outcomes of messages, as their authors may see them.

    The members of a list, whose events carry the list's address, are its owner's to see.
    """
    kinds = [EventKind.RECEIVED, *FINAL_EVENTS, *LATER_EVENTS]
    return events_of(references, kinds)


def events_of(
    references: Collection[str], kinds: Collection[EventKind]
) -> QuerySet[Event]:
    """Returns those kinds of events of messages, as their authors may see them."""
    rows = Event.objects.filter(reference__in=references, kind__in=kinds)
    return rows.exclude(detail__has_key="list")


def final_state(kind: str, reason: str) -> DeliveryState:
    """Returns the state that a final event leads to."""
    if reason == TAKEN_BACK_REASON:
        return DeliveryState.TAKEN_BACK
    return FINAL_EVENTS[EventKind(kind)]
