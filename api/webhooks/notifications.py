"""Turns events of the trace, the audit trail and the queue into notifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from engine.audit.models import Entry
from engine.mail.address import Address, InvalidAddressError
from engine.queue.models import Recipient
from engine.registry.models import WebhookEvent
from engine.routing import routes
from engine.trace.models import Event, EventKind
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Source, Status
from portal.organisation.mail import trace_visibility

OUTCOMES = {
    EventKind.DELIVERED: WebhookEvent.MESSAGE_DELIVERED,
    EventKind.RELAYED: WebhookEvent.MESSAGE_DELIVERED,
    EventKind.FAILED: WebhookEvent.MESSAGE_FAILED,
    EventKind.DEFERRED: WebhookEvent.MESSAGE_DELAYED,
}
API = "/api/v1"
# Begins the source of a delay; the recipient's id follows.
DELAYED = "delayed:"
TICKET_EVENTS = {
    "ticket.opened": WebhookEvent.TICKET_CREATED,
    "ticket.answered": WebhookEvent.TICKET_REPLIED,
    "ticket.moved": WebhookEvent.TICKET_SOLVED,
}


@dataclass(frozen=True, slots=True)
class Notification:
    """An event for the endpoints of one organisation. It holds ids, never content.

    An endpoint gets each `source` once.
    """

    source: str
    event: WebhookEvent
    at: datetime
    organisation_id: int | None
    data: dict[str, Any]


def from_trace_events(rows: Sequence[Event]) -> Iterator[Notification]:
    """Yields what the events say to the senders' and the recipients' organisations."""
    yield from _outcomes([row for row in rows if row.kind in OUTCOMES])
    for row in rows:
        if row.kind == EventKind.DELIVERED:
            yield _received(row)
        # Any client may claim any domain, and what is refused for now is tried again.
        is_no_news = row.detail.get("is_claim") or _reply(row).startswith("4")
        if row.kind == EventKind.REFUSED and not is_no_news:
            yield _refused(row)
    yield from _recalls([row for row in rows if row.kind == EventKind.RECALLED])


def delay(recipient: Recipient, at: datetime, reply: str) -> Notification:
    """Returns the notification that a recipient waits, the same however often it does."""
    known = routes.current()
    message = recipient.message
    return Notification(
        f"{DELAYED}{recipient.pk}",
        WebhookEvent.MESSAGE_DELAYED,
        at,
        trace_visibility.sending_organisation(message, known),
        {
            "reference": message.reference,
            "recipient": recipient.address,
            "reply": reply,
        },
    )


def _outcomes(rows: Sequence[Event]) -> Iterator[Notification]:
    senders = _senders(rows)
    waiting = _waiting([row for row in rows if row.kind == EventKind.DEFERRED])
    for row in rows:
        if row.kind == EventKind.DEFERRED:
            recipient = waiting.get((row.reference, row.recipient))
            if recipient is not None:
                yield delay(recipient, row.at, _reply(row))
            continue
        # The members of a list are known to the list's organisation, not to the sender.
        of_list = row.detail.get("list")
        sender = _organisation_of(of_list) if of_list else senders.get(row.reference)
        if sender is not None:
            event = OUTCOMES[EventKind(row.kind)]
            data = {"reference": row.reference, "recipient": row.recipient}
            if event == WebhookEvent.MESSAGE_FAILED:
                data["reply"] = _reply(row)
            yield Notification(f"trace:{row.pk}:{event}", event, row.at, sender, data)


def _waiting(rows: Iterable[Event]) -> Mapping[tuple[str, str], Recipient]:
    """Returns the recipients that deferrals are about, by reference and address."""
    pairs = {(row.reference, row.recipient) for row in rows}
    if not pairs:
        return {}
    found = Recipient.objects.filter(
        message__reference__in={reference for reference, _ in pairs},
        address__in={address for _, address in pairs},
    )
    return {
        (one.message.reference, one.address): one
        for one in found.select_related("message")
    }


def received_data(
    reference: str, recipient: str, mailbox: int | None, message: int | None
) -> dict[str, Any]:
    """Returns what is said of a message that came in: ids, and where the API has it."""
    api = f"{settings.POSTERN.site_url}{API}"
    url = f"{api}/messages/{message}" if message else None
    return {
        "reference": reference,
        "recipient": recipient,
        "mailbox": mailbox,
        "message": message,
        "message_url": url,
        "raw_url": f"{url}/raw" if url else None,
        "trace_url": f"{api}/traces/{reference}",
    }


def _received(row: Event) -> Notification:
    event = WebhookEvent.MESSAGE_RECEIVED
    # None of what an engine of an earlier version delivers during an upgrade.
    mailbox, message = row.detail.get("mailbox"), row.detail.get("message")
    data = received_data(row.reference, row.recipient, mailbox, message)
    owner = _organisation_of(row.recipient)
    return Notification(f"trace:{row.pk}:{event}", event, row.at, owner, data)


def _refused(row: Event) -> Notification:
    event = WebhookEvent.MESSAGE_REFUSED
    data = {
        "reference": row.reference,
        "sender": str(row.detail.get("sender") or ""),
        "recipient": row.recipient,
        "reply": _reply(row),
    }
    owner = row.detail.get("organisation_id")
    return Notification(f"trace:{row.pk}:{event}", event, row.at, owner, data)


def _recalls(rows: Sequence[Event]) -> Iterator[Notification]:
    """Yields what recalls say to the senders' and the recipients' organisations."""
    event = WebhookEvent.MESSAGE_RECALLED
    senders = _senders(rows)
    for row in rows:
        owner = None if row.detail.get("of_many") else _organisation_of(row.recipient)
        # The one that had it first: the community's endpoints get the first call alone.
        for organisation in dict.fromkeys((owner, senders.get(row.reference))):
            if organisation is None:
                continue
            is_own = organisation == owner
            data = {
                "reference": row.reference,
                "recipient": row.recipient,
                "mailbox": row.detail.get("mailbox") if is_own else None,
                "message": row.detail.get("message") if is_own else None,
            }
            yield Notification(
                f"trace:{row.pk}:{event}", event, row.at, organisation, data
            )


def _senders(rows: Iterable[Event]) -> dict[str, int | None]:
    """Returns the organisation that sent each message, by reference.

    From the acceptance in the trace, because a message may be recalled after the queue
    has purged it.
    """
    references = {row.reference for row in rows}
    if not references:
        return {}
    known = routes.current()
    accepted = Event.objects.filter(reference__in=references, kind=EventKind.RECEIVED)
    return {
        one.reference: trace_visibility.owner_of_outcomes(one, known)
        for one in accepted
    }


def _reply(row: Event) -> str:
    return str(row.detail.get("reply") or row.detail.get("reason") or "")


def _organisation_of(address: str) -> int | None:
    try:
        return routes.current().organisation_of(Address.parse(address))
    except InvalidAddressError:
        return None


def from_audit_entries(rows: Sequence[Entry]) -> Iterator[Notification]:
    """Yields what the entries say of tickets."""
    found = [row for row in rows if row.event in TICKET_EVENTS and _is_reported(row)]
    tickets = Ticket.objects.in_bulk([int(row.subject_key) for row in found])
    for row in found:
        ticket = tickets.get(int(row.subject_key))
        if ticket is not None:
            # What members ask the helpdesk themselves stays between them and the helpdesk.
            owner = ticket.organisation_id if ticket.source == Source.API else None
            event = TICKET_EVENTS[row.event]
            data = {"ticket": ticket.pk, "number": ticket.number}
            yield Notification(f"audit:{row.pk}", event, row.at, owner, data)


def _is_reported(row: Entry) -> bool:
    """Of all changes of status, only "solved" is an event."""
    return row.event != "ticket.moved" or row.detail.get("to") == Status.SOLVED
