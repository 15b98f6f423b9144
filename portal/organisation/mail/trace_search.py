"""Message trace of one organisation: search, and the steps of one message.

The sender's organisation sees the outcome for every recipient; the recipient's sees its
own recipients only. An author sees that a distribution list sent the message on, and not
its members. Nothing shows the content of a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from engine.certificates import visibility
from engine.certificates.models import Role
from engine.certificates.visibility import View
from engine.mail.address import Address, InvalidAddressError
from engine.queue.delivery import untried_recipients
from engine.queue.models import QueuedMessage, Recipient, Source
from engine.queue.models import status_words as words_of
from engine.registry.models import Organisation
from engine.routing import routes
from engine.routing.routes import Routes
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Step, Visibility, step
from portal.organisation.mail import trace_visibility
from portal.ui.date_formats import end_of_day, start_of_day

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
    since: datetime | None = None
    until: datetime | None = None


class FoundRecipient(NamedTuple):
    """What a list shows of a recipient: a message may have thousands."""

    address: str
    status: str
    last_reply: str


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """One message, as a list of messages shows it."""

    reference: str
    at: datetime
    sender: str
    recipients: Sequence[FoundRecipient]
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
        since=start_of_day(given.get("since", "")),
        until=end_of_day(given.get("until", "")),
    )


def find(organisation: Organisation, query: Query) -> list[FoundMessage]:
    """Returns the organisation's newest messages that match, up to LIMIT."""
    known = routes.current()
    rows = _candidates(organisation, query, known)
    rows = rows.order_by("-accepted_at", "-pk")[:CANDIDATES]
    found: list[FoundMessage] = []
    # Page by page: most often the first candidates are the result already.
    for start in range(0, CANDIDATES, LIMIT):
        page = list(rows[start : start + LIMIT])
        found += _visible(page, organisation, query, known)
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


def certifiable(organisation: Organisation, reference: str) -> View | None:
    """Returns what the organisation may have certified of a message; None if nothing.

    Without what became of a list's members: its owner certifies the list's own copy.
    """
    events = visibility.events_of(reference)
    seen = trace_visibility.visible_events(events, organisation)
    if not seen or seen[0].kind != EventKind.RECEIVED:
        return None
    received, *others = seen
    owner = trace_visibility.owner_of_outcomes(received, routes.current())
    is_sent = owner == organisation.pk
    return View(
        reference=reference,
        role=Role.SENDING_ORGANISATION if is_sent else Role.RECEIVING_ORGANISATION,
        name=organisation.name,
        events=[received, *(one for one in others if not one.detail.get("list"))],
        organisation_id=organisation.pk,
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
    # Moments rather than dates of the column, so that its index is used.
    if query.since:
        rows = rows.filter(accepted_at__gte=query.since)
    if query.until:
        rows = rows.filter(accepted_at__lt=query.until)
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


def _visible(
    messages: list[QueuedMessage],
    organisation: Organisation,
    query: Query,
    known: Routes,
) -> Iterator[FoundMessage]:
    """Yields the messages as the organisation may see them, without those it may not."""
    recipients = _recipients_of(messages)
    is_own = _OwnDomains(organisation, known)
    for message in messages:
        owner = trace_visibility.sending_organisation(message, known)
        is_sent = owner == organisation.pk
        seen = [one for one in recipients[message.pk] if is_sent or is_own[one.address]]
        if seen and (not query.recipient or _has(seen, query.recipient)):
            yield FoundMessage(
                message.reference, message.accepted_at, message.sender, seen, is_sent
            )


def _recipients_of(
    messages: list[QueuedMessage],
) -> defaultdict[int, list[FoundRecipient]]:
    """Reads the recipients of messages, by message, in their order."""
    rows = Recipient.objects.filter(message__in=[one.pk for one in messages])
    found: defaultdict[int, list[FoundRecipient]] = defaultdict(list)
    columns = ("message", "address", "status", "last_reply")
    for pk, *shown in rows.order_by("pk").values_list(*columns):
        found[pk].append(FoundRecipient(*shown))
    return found


class _OwnDomains(dict[str, bool]):
    """Whether an address is the organisation's, looked up once for each domain."""

    def __init__(self, organisation: Organisation, known: Routes) -> None:
        super().__init__()
        self._organisation, self._known = organisation, known

    def __getitem__(self, address: str) -> bool:
        domain = address.rpartition("@")[2]
        if domain not in self:
            self[domain] = trace_visibility.is_own(
                address, self._organisation, self._known
            )
        return super().__getitem__(domain)


def _has(recipients: Iterable[FoundRecipient], key: str) -> bool:
    """Returns whether one of them has the key; parses an address only if it must."""
    return any(
        key == one.address.casefold()
        or (
            (not one.address.isascii() or '"' in one.address)
            and key == _key(one.address)
        )
        for one in recipients
    )


def status_words(recipients: Iterable[FoundRecipient]) -> list[tuple[str, int]]:
    """Counts recipients by status, as label and number."""
    counted: defaultdict[str, int] = defaultdict(int)
    for recipient in recipients:
        counted[words_of(recipient.status, recipient.last_reply)] += 1
    return list(counted.items())


def _key(text: str) -> str:
    """Returns the community form of an address; other text unchanged."""
    try:
        address = Address.parse(text.strip())
        return routes.current().domains.to_community(address).key
    except InvalidAddressError:
        return text.strip().casefold()[:254]
