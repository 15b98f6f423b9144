"""What happened to the organisation's own mail, in plain English.

Two views of one message: whoever sent it sees what became of every recipient; whoever
received it sees their own organisation's recipients only. Whom a distribution list
reaches is its owner's to know: the author sees that the list sent it on, no more.
Nothing says what is in a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils.dateparse import parse_date

from engine.mail.address import Address, InvalidAddressError
from engine.queue.delivery import untried_recipients
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Organisation
from engine.routing import routes
from engine.routing.routes import Routes
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Sight, Step, step
from portal.organisation.mail import trace_visibility

LIMIT = 100  # messages in one answer
CANDIDATES = 500  # looked at for it
EVENTS = 5000  # of one message that are looked at; a list may have as many members
SHOWN = 500  # of them on its page
NOT_REACHED = "Could not be delivered; it is noted beside the member of the list"


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody asks for; empty fields ask nothing."""

    sender: str = ""
    recipient: str = ""
    reference: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One message as a list of messages shows it."""

    reference: str
    at: datetime
    sender: str
    recipients: Sequence[Recipient]
    is_sent: bool


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the organisation may know of one message."""

    reference: str
    sender: str
    is_sent: bool
    steps: list[Step]
    is_cut: bool
    # What lists made of it, where the organisation may follow that too.
    sent_on: list[str]


def query_of(given: dict[str, str]) -> Query:
    """What was typed: addresses in either form, dates as the browser sends them."""
    return Query(
        sender=_key(given.get("sender", "")),
        recipient=_key(given.get("recipient", "")),
        reference=given.get("reference", "").strip().upper()[:32],
        since=_date(given.get("since", "")),
        until=_date(given.get("until", "")),
    )


def find(organisation: Organisation, query: Query) -> list[Line]:
    """The newest of the organisation's messages that the query asks for."""
    known = routes.current()
    rows = _candidates(organisation, query, known).select_related(None)
    rows = rows.prefetch_related("recipients").order_by("-pk")[:CANDIDATES]
    lines = (_line(organisation, message, query, known) for message in rows)
    return [line for line in lines if line is not None][:LIMIT]


def story(organisation: Organisation, reference: str) -> Story | None:
    """What happened to a message, or None where it is not theirs to know."""
    events = list(Event.objects.filter(reference=reference).order_by("pk")[:EVENTS])
    events += untried_recipients.events(reference)
    seen = trace_visibility.theirs(events, organisation)
    if not seen:
        return None
    received = seen[0]
    return Story(
        reference=reference,
        sender=str(received.detail.get("sender", "")),
        is_sent=trace_visibility.teller(received, routes.current()) == organisation.pk,
        steps=[_told(event, received) for event in seen[:SHOWN]],
        is_cut=len(seen) > SHOWN,
        sent_on=[r for r in _sent_on(seen) if _may_know(organisation, r)],
    )


def _told(event: Event, received: Event) -> Step:
    """A list's author hears nothing of a member who cannot be reached."""
    told = step(event, Sight.MEMBER)
    of_list = event.detail.get("list") or received.detail.get("list")
    if of_list and event.kind == EventKind.FAILED:
        return replace(told, text=NOT_REACHED)
    return told


def _sent_on(events: Iterable[Event]) -> list[str]:
    found = (str(event.detail.get("sent_on_as", "")) for event in events)
    return list(filter(None, found))


def _may_know(organisation: Organisation, reference: str) -> bool:
    events = Event.objects.filter(reference=reference).order_by("pk")[:EVENTS]
    return bool(trace_visibility.theirs(list(events), organisation))


def _candidates(
    organisation: Organisation, query: Query, known: Routes
) -> QuerySet[QueuedMessage]:
    """Messages that may be meant, by whatever index finds them."""
    rows = QueuedMessage.objects.all()
    if query.since:
        rows = rows.filter(accepted_at__date__gte=query.since)
    if query.until:
        rows = rows.filter(accepted_at__date__lte=query.until)
    if query.reference:
        return rows.filter(reference=query.reference)
    if query.recipient:
        events = Event.objects.filter(recipient=query.recipient).order_by("-pk")
        references = events.values_list("reference", flat=True)[:CANDIDATES]
        rows = rows.filter(reference__in=list(dict.fromkeys(references)))
        return rows.filter(sender__iexact=query.sender) if query.sender else rows
    if query.sender:
        return rows.filter(
            organisation_id=trace_visibility.owner(query.sender, known),
            sender__iexact=query.sender,
        )
    # What a list sends on is its author's too; they know of the list, not its members.
    own = rows.filter(organisation_id=organisation.pk)
    return own.exclude(source=Source.LIST)


def _line(
    organisation: Organisation, message: QueuedMessage, query: Query, known: Routes
) -> Line | None:
    """The message as the organisation may see it; None where it may not."""
    is_sent = trace_visibility.sender_of(message, known) == organisation.pk
    seen = [
        recipient
        for recipient in message.recipients.all()
        if is_sent or trace_visibility.is_own(recipient.address, organisation, known)
    ]
    if not seen or (
        query.recipient and query.recipient not in {_key(r.address) for r in seen}
    ):
        return None
    return Line(message.reference, message.accepted_at, message.sender, seen, is_sent)


def status_words(recipients: Iterable[Recipient]) -> list[tuple[str, int]]:
    """How many recipients stand where, as label and number."""
    counted: defaultdict[str, int] = defaultdict(int)
    for recipient in recipients:
        counted[RecipientStatus(recipient.status).label] += 1
    return list(counted.items())


def _key(text: str) -> str:
    """The community form of what was typed; text that is no address stays itself."""
    try:
        address = Address.parse(text.strip())
        return routes.current().domains.to_community(address).key
    except InvalidAddressError:
        return text.strip().casefold()[:254]


def _date(text: str) -> date | None:
    try:
        return parse_date(text.strip())
    except ValueError:
        return None
