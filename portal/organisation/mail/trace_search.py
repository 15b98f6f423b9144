"""Message trace of one organisation: search, and the steps of one message.

The sender's organisation sees the outcome for every recipient; the recipient's sees its
own recipients only. An author sees that a distribution list sent the message on, and not
its members. Nothing shows the content of a message.
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
from engine.trace.timeline import Step, Visibility, step
from portal.organisation.mail import trace_visibility

LIMIT = 100  # messages in one result
CANDIDATES = 500  # read to find them
EVENTS = 5000  # of one message that are read; a list may have as many members
SHOWN = 500  # of them on its page
NOT_REACHED = "Could not be delivered; it is noted beside the member of the list"


@dataclass(frozen=True, slots=True)
class Query:
    """A search; empty fields match everything."""

    sender: str = ""
    recipient: str = ""
    reference: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """One message, as a list of messages shows it."""

    reference: str
    at: datetime
    sender: str
    recipients: Sequence[Recipient]
    is_sent: bool


@dataclass(frozen=True, slots=True)
class MessageTrace:
    """Everything that the organisation may see of one message.

    `sent_on` holds the references of copies that lists made, where it may see those.
    """

    reference: str
    sender: str
    is_sent: bool
    steps: list[Step]
    is_cut: bool
    sent_on: list[str]


def parse_query(given: dict[str, str]) -> Query:
    """Parses filter criteria: addresses in either form, and ISO dates."""
    return Query(
        sender=_key(given.get("sender", "")),
        recipient=_key(given.get("recipient", "")),
        reference=given.get("reference", "").strip().upper()[:32],
        since=_date(given.get("since", "")),
        until=_date(given.get("until", "")),
    )


def find(organisation: Organisation, query: Query) -> list[FoundMessage]:
    """Returns the organisation's newest messages that match, up to LIMIT."""
    known = routes.current()
    rows = _candidates(organisation, query, known).select_related(None)
    rows = rows.prefetch_related("recipients").order_by("-pk")[:CANDIDATES]
    found: list[FoundMessage] = []
    # Page by page: most often the first candidates are the result already.
    for start in range(0, CANDIDATES, LIMIT):
        page = list(rows[start : start + LIMIT])
        shown = (_found_message(organisation, one, query, known) for one in page)
        found += filter(None, shown)
        if len(found) >= LIMIT or len(page) < LIMIT:
            break
    return found[:LIMIT]


def trace(organisation: Organisation, reference: str) -> MessageTrace | None:
    """Returns the trace of a message; None where the organisation may not see it."""
    events = list(Event.objects.filter(reference=reference).order_by("pk")[:EVENTS])
    events += untried_recipients.deferral_events(reference)
    seen = trace_visibility.visible_events(events, organisation)
    if not seen:
        return None
    received = seen[0]
    return MessageTrace(
        reference=reference,
        sender=str(received.detail.get("sender", "")),
        is_sent=trace_visibility.owner_of_outcomes(received, routes.current())
        == organisation.pk,
        steps=[_step(event, received) for event in seen[:SHOWN]],
        is_cut=len(seen) > SHOWN,
        sent_on=[r for r in _sent_on(seen) if _may_see(organisation, r)],
    )


def _step(event: Event, received: Event) -> Step:
    """Hides from the author of a message to a list why a member could not be reached."""
    shown = step(event, Visibility.MEMBER)
    of_list = event.detail.get("list") or received.detail.get("list")
    if of_list and event.kind == EventKind.FAILED:
        return replace(shown, text=NOT_REACHED)
    return shown


def _sent_on(events: Iterable[Event]) -> list[str]:
    found = (str(event.detail.get("sent_on_as", "")) for event in events)
    return list(filter(None, found))


def _may_see(organisation: Organisation, reference: str) -> bool:
    events = Event.objects.filter(reference=reference).order_by("pk")[:EVENTS]
    return bool(trace_visibility.visible_events(list(events), organisation))


def _candidates(
    organisation: Organisation, query: Query, known: Routes
) -> QuerySet[QueuedMessage]:
    """Returns messages that may match, by the index that narrows them most."""
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
            organisation_id=trace_visibility.organisation_of(query.sender, known),
            sender__iexact=query.sender,
        )
    # Copies that a list sends on carry the author's organisation, which may not see them.
    own = rows.filter(organisation_id=organisation.pk)
    return own.exclude(source=Source.LIST)


def _found_message(
    organisation: Organisation, message: QueuedMessage, query: Query, known: Routes
) -> FoundMessage | None:
    """Returns the message as the organisation may see it; None where it may not."""
    is_sent = trace_visibility.sending_organisation(message, known) == organisation.pk
    seen = [
        recipient
        for recipient in message.recipients.all()
        if is_sent or trace_visibility.is_own(recipient.address, organisation, known)
    ]
    if not seen or (
        query.recipient and query.recipient not in {_key(r.address) for r in seen}
    ):
        return None
    return FoundMessage(
        message.reference, message.accepted_at, message.sender, seen, is_sent
    )


def status_words(recipients: Iterable[Recipient]) -> list[tuple[str, int]]:
    """Counts recipients by status, as label and number."""
    counted: defaultdict[str, int] = defaultdict(int)
    for recipient in recipients:
        counted[RecipientStatus(recipient.status).label] += 1
    return list(counted.items())


def _key(text: str) -> str:
    """Returns the community form of an address; other text unchanged."""
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
