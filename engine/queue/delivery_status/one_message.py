"""Delivery of one message, recipient by recipient, and its story, for its author."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.database import clock
from engine.queue.delivery import due_recipients, untried_recipients
from engine.queue.delivery_status import reasons, summaries
from engine.queue.delivery_status.states import (
    UNFINISHED,
    DeliveryState,
    MessageDelivery,
    RecipientDelivery,
)
from engine.queue.delivery_status.summaries import LIMIT
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.routing.facts import RouteKind
from engine.storage.models import FolderRole, Message
from engine.trace import timeline
from engine.trace.models import Event, EventKind
from engine.trace.timeline import STAYS_HELD, TAKEN_BACK, Timeline, Visibility

AFTER_DELIVERY = (*summaries.LATER_EVENTS, EventKind.NOT_RECALLED)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message, and of the copy for each recipient.

    The recipients that need attention come first.
    """

    message: MessageDelivery
    recipients: Sequence[RecipientDelivery]

    def restricted_to(self, is_visible: Callable[[str], bool]) -> Delivery:
        """Returns the delivery for those recipients whose address the reader may see."""
        seen = [one for one in self.recipients if is_visible(one.address)]
        return _delivery(seen, since=self.message.since, until=self.message.until)

    @property
    def can_be_recalled(self) -> bool:
        """Whether a recall might change something: what stayed before stays again, but a
        list may have delivered to further members since."""
        return any(
            one.state in UNFINISHED
            or one.state is DeliveryState.PARTLY_RECALLED
            or (one.state is DeliveryState.DELIVERED and not one.why)
            for one in self.recipients
        )

    @property
    def has_lists(self) -> bool:
        """Whether a distribution list is among the recipients."""
        return any(one.is_list for one in self.recipients)


def of_sent_copy(message: Message) -> Delivery | None:
    """Returns the delivery of a message that its mailbox sent; None for other messages,
    and for those sent before references were kept."""
    if not message.is_sent_copy:
        return None
    found = of_message(message.reference)
    # With nothing on record, only the folder tells a sent message from a received notice.
    if found is None and message.folder.role == FolderRole.SENT:
        return Delivery(MessageDelivery(), ())
    return found


def of_message(reference: str) -> Delivery | None:
    """Returns the delivery of a message, for its author.

    None where nothing is on record, or the message has no sender: those who have a
    notice of the service are not its authors.
    """
    queued = QueuedMessage.objects.filter(reference=reference).first()
    if queued is not None:
        return from_queue(queued) if queued.sender else None
    kinds = [EventKind.RECEIVED, *summaries.FINAL_EVENTS]
    rows = summaries.events_of([reference], kinds)
    events = list(rows.order_by("pk")[:LIMIT])
    sender = next((e.detail.get("sender") for e in events if not e.recipient), "")
    if not sender:
        return None
    later = _later_events(reference, [one.recipient for one in events])
    return from_events([*events, *later.values()])


def from_queue(message: QueuedMessage) -> Delivery:
    """Returns the delivery of a message that the queue still has."""
    rows = message.recipients.order_by("pk")[:LIMIT]
    recipients = _recipients(list(rows), clock.estimated_now())
    later = _later_events(message.reference, [one.address for one in recipients])
    recipients = [_with_later(one, later) for one in recipients]
    return _delivery(recipients, since=message.accepted_at, until=message.expires_at)


def from_events(events: Iterable[Event]) -> Delivery | None:
    """Returns the delivery by those of a message's events that the reader may see; None
    without its acceptance."""
    since, outcomes, later = None, [], {}
    for event in events:
        if event.kind == EventKind.RECEIVED:
            since = event.at
        elif event.kind in summaries.FINAL_EVENTS:
            outcomes.append(_outcome(event))
        elif event.kind in AFTER_DELIVERY:
            later[event.recipient] = event
    recipients = [_with_later(one, later) for one in outcomes]
    return _delivery(recipients, since=since) if since else None


def _later_events(reference: str, addresses: Collection[str]) -> dict[str, Event]:
    """Returns the latest event after its delivery for each of these recipients, if any."""
    rows = Event.objects.filter(
        reference=reference, kind__in=AFTER_DELIVERY, recipient__in=addresses
    )
    return {one.recipient: one for one in summaries.newest(rows)}


def _with_later(
    one: RecipientDelivery, later: Mapping[str, Event]
) -> RecipientDelivery:
    """Returns a recipient's delivery with what became of the copy afterwards."""
    event = later.get(one.address)
    if event is None:
        return one
    words = timeline.step(event, Visibility.MEMBER).text
    if event.detail.get("why") == STAYS_HELD:
        # Once released and delivered, it can be recalled like any other.
        return replace(one, why=f"{words}. Ask the helpdesk.") if one.is_held else one
    if one.state in UNFINISHED:
        return one
    if event.kind == EventKind.NOT_RECALLED:
        return replace(one, why=f"{words}.")
    if event.kind == EventKind.PUT_BACK:
        return one
    state = summaries.state_after(event)
    return replace(one, state=state, words=words, at=event.at)


def _delivery(
    recipients: list[RecipientDelivery],
    *,
    since: datetime | None,
    until: datetime | None = None,
) -> Delivery:
    order = [DeliveryState.RETURNED, DeliveryState.WAITING, DeliveryState.SENDING]
    return Delivery(
        MessageDelivery.of(
            (one.as_group() for one in recipients), since=since, until=until
        ),
        sorted(
            recipients,
            key=lambda one: order.index(one.state) if one.state in order else 3,
        ),
    )


def _recipients(rows: Sequence[Recipient], now: datetime) -> list[RecipientDelivery]:
    overdue = {
        row.destination
        for row in rows
        if row.status == RecipientStatus.QUEUED
        and not row.last_reply
        and row.next_attempt_at <= now - summaries.PATIENCE
    }
    outages = due_recipients.outage_replies(overdue) if overdue else {}
    return [_recipient(row, now, outages.get(row.destination, "")) for row in rows]


def _recipient(row: Recipient, now: datetime, outage: str) -> RecipientDelivery:
    state = state_of(row, now)
    reply = row.last_reply or outage
    why, upcoming = "", None
    if state is DeliveryState.WAITING:
        why = reasons.why_waiting(row.hold, reply)
        upcoming = summaries.next_attempt(row.next_attempt_at, row.hold, now)
    elif state is DeliveryState.RETURNED:
        why = reasons.of_reply(reply)
    return RecipientDelivery(
        row.address,
        state,
        reasons.words_of(row.status, row.last_reply, row.destination),
        row.finished_at,
        upcoming,
        why,
        is_held=bool(row.hold),
        is_list=row.destination.startswith(RouteKind.LIST),
    )


def state_of(row: Recipient, now: datetime) -> DeliveryState:
    """Returns a recipient's state, as `summaries.state_expression` does in SQL."""
    is_due = row.next_attempt_at <= now - summaries.PATIENCE
    if row.status == RecipientStatus.QUEUED and not row.last_reply and not is_due:
        return DeliveryState.SENDING
    if row.status == RecipientStatus.DROPPED and row.last_reply == TAKEN_BACK:
        return DeliveryState.TAKEN_BACK
    if row.status in (RecipientStatus.DELIVERED, RecipientStatus.EXPANDED):
        later = summaries.AFTER_DELIVERY.get(row.last_reply)
        return later or DeliveryState.DELIVERED
    return summaries.STATES[RecipientStatus(row.status)]


def _outcome(event: Event) -> RecipientDelivery:
    state = summaries.final_state(event.kind, str(event.detail.get("reason", "")))
    is_returned = state is DeliveryState.RETURNED
    is_role = bool(event.detail.get("role"))
    words = reasons.words_of(event.kind, timeline.label(event))
    return RecipientDelivery(
        event.recipient,
        state,
        timeline.TO_READERS if is_role else words,
        event.at,
        why=reasons.of_reply(str(event.detail.get("reply", ""))) if is_returned else "",
        is_list=event.kind == EventKind.EXPANDED and not is_role,
    )


def author_events(reference: str) -> list[Event]:
    """Returns the events of a message that its author may see, in order.

    Without how many members a list has, which is its owner's to tell.
    """
    rows = Event.objects.filter(reference=reference).exclude(detail__has_key="list")
    events = list(rows.order_by("pk")[:LIMIT])
    for event in events:
        if event.kind == EventKind.EXPANDED:
            event.detail = {k: v for k, v in event.detail.items() if k != "reply"}
    return [*events, *untried_recipients.deferral_events(reference)]


def story(reference: str) -> Timeline:
    """Returns what happened to a message step by step, as its author may see it."""
    return timeline.build_timeline(author_events(reference), Visibility.MEMBER)
