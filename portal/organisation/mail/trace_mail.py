"""The messages that an organisation sent or received, as lines of its trace.

Each page is read by keyset, from an index of the organisation's own rows, or from at most
SCANNED rows where a search has none. The sender's organisation sees every recipient, the
recipient's its own only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.db.models import Exists, OuterRef, QuerySet, Value

from engine.database.id_in import IdIn
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Organisation
from engine.routing.routes import Routes
from portal.organisation.mail import trace_recipients, trace_visibility
from portal.organisation.mail.trace_line import Line
from portal.organisation.mail.trace_query import (
    PER_PAGE,
    SCANNED,
    Query,
    Shown,
    newest_of,
)

# Ids of recipients follow those of their messages only roughly.
SLACK = 5000
FIELDS = ("pk", "reference", "accepted_at", "sender", "source", "organisation_id")
# Rows that are looked at before the rest of SCANNED; most often they fill the page.
FIRST = 2 * PER_PAGE
UNDONE = (RecipientStatus.QUEUED, RecipientStatus.HELD, RecipientStatus.FAILED)
Ids: TypeAlias = Sequence[int]


@dataclass(frozen=True, slots=True)
class Found:
    """The ids of a page's messages, the newest first, and where the next page goes on."""

    ids: Sequence[int]
    is_more: bool
    scanned_to: int | None = None
    """The last id looked at, where matches are only a part of what was looked at."""

    @property
    def lowest(self) -> int | None:
        """The id that the next page begins before."""
        return self.scanned_to or min(self.ids, default=None)


def find(
    organisation: Organisation, query: Query, known: Routes, before: int | None
) -> tuple[list[Line], Found]:
    """Returns the lines of a page, and what they were made from."""
    found = _find(organisation, query, known, before)
    return _lines(found.ids, organisation, query, known), found


def _find(
    organisation: Organisation, query: Query, known: Routes, before: int | None
) -> Found:
    if query.reference:
        rows = QueuedMessage.objects.filter(reference=query.reference)
        return Found(list(rows.values_list("pk", flat=True)), is_more=False)
    if query.recipient:
        return _by_recipient(organisation, query, known, before)
    if query.sender:
        return _by_sender(organisation, query, known, before)
    limit = SCANNED if query.reason else PER_PAGE + 1
    ids: set[int] = set()
    if query.shows(Shown.SENT):
        ids.update(_sent(organisation, query, before)[:limit])
    if query.shows(Shown.RECEIVED):
        ids.update(_received(organisation, query, before)[:limit])
    newest = sorted(ids, reverse=True)[:limit]
    if query.reason:
        return _scanned(newest, _with_reason(newest, query, organisation, known))
    return Found(newest[:PER_PAGE], len(newest) > PER_PAGE)


def _sent(
    organisation: Organisation, query: Query, before: int | None
) -> QuerySet[QueuedMessage, int]:
    rows = QueuedMessage.objects.exclude(source=Source.LIST)
    rows = newest_of(rows, "organisation_id", organisation.pk, "pk", before)
    for side, end in query.ids_in_span(_times(), "accepted_at").items():
        rows = rows.filter(**{f"pk__{side}": end})
    return rows.values_list("pk", flat=True)


def _newest(
    rows: QuerySet[QueuedMessage], query: Query, before: int | None
) -> QuerySet[QueuedMessage]:
    if before is not None:
        rows = rows.filter(pk__lt=before)
    for side, end in query.ids_in_span(_times(), "accepted_at").items():
        rows = rows.filter(**{f"pk__{side}": end})
    return rows.order_by("-pk")


def _received(
    organisation: Organisation, query: Query, before: int | None
) -> QuerySet[Recipient, int]:
    rows = newest_of(
        Recipient.objects.all(), "received_by_id", organisation.pk, "message", before
    )
    for side, end in query.ids_in_span(_times(), "accepted_at").items():
        rows = rows.filter(**{f"message__{side}": end})
    return rows.values_list("message", flat=True)


def _times() -> QuerySet[QueuedMessage]:
    return QueuedMessage.objects.all()


def _by_recipient(
    organisation: Organisation, query: Query, known: Routes, before: int | None
) -> Found:
    """Looks through the newest mail to one address."""
    rows = Recipient.objects.filter(address=query.recipient)
    if before is not None:
        # By ids of recipients, in whose order the index of addresses is.
        edge = Recipient.objects.filter(message__lt=before).order_by("-message")
        last = edge.values_list("pk", flat=True).first() or 0
        rows = rows.filter(message__lt=before, pk__lte=last + SLACK)
    seen = rows.order_by("-pk").values_list(
        "message",
        "message__organisation_id",
        "message__source",
        "message__sender",
        "message__accepted_at",
    )
    is_own = trace_visibility.is_own(query.recipient, organisation, known)

    def matching(rows: Sequence[tuple[int, int | None, str, str, datetime]]) -> Ids:
        return [
            pk
            for pk, sent_by, source, sender, at in rows
            if query.covers(at)
            and (not query.sender or sender.casefold() == query.sender)
            and (
                (query.shows(Shown.RECEIVED) and is_own)
                or (
                    query.shows(Shown.SENT)
                    and sent_by == organisation.pk
                    and source != Source.LIST
                )
            )
        ]

    return _looked_through(seen, matching, query, organisation, known)


def _by_sender(
    organisation: Organisation, query: Query, known: Routes, before: int | None
) -> Found:
    """Looks through the newest mail of one sender; all of one's own is a match."""
    owner = trace_visibility.organisation_of(query.sender, known)
    rows = QueuedMessage.objects.filter(
        organisation_id=owner, sender__iexact=query.sender
    ).exclude(source=Source.LIST)
    newest = _newest(rows, query, before)
    is_own = owner == organisation.pk and query.shows(Shown.SENT)
    if not is_own and not query.shows(Shown.RECEIVED):
        return Found([], is_more=False)

    received = Recipient.objects.filter(
        received_by_id=organisation.pk, message=OuterRef("pk")
    )
    is_match = Value(True) if is_own else Exists(received)

    def matching(rows: Sequence[tuple[int, bool]]) -> Ids:
        return [pk for pk, is_match in rows if is_match]

    seen = newest.values_list("pk", is_match)
    return _looked_through(seen, matching, query, organisation, known)


def _looked_through(
    rows: QuerySet[Any, Any],
    matching: Callable[[Sequence[Any]], Ids],
    query: Query,
    organisation: Organisation,
    known: Routes,
) -> Found:
    """Looks through the newest rows, a message's id first in each, until a page is full.

    A reason is rare, so that all are looked at at once.
    """
    looked_at: list[Any] = []
    found: Ids = []
    for end in (SCANNED,) if query.reason else (FIRST, SCANNED):
        looked_at += rows[len(looked_at) : end]
        found = matching(looked_at)
        if len(set(found)) > PER_PAGE or len(looked_at) < end:
            break
    if query.reason:
        found = _with_reason(found, query, organisation, known)
    return _scanned([pk for pk, *_ in looked_at], found)


def _scanned(looked_at: Sequence[int], matching: Sequence[int]) -> Found:
    """Returns a page of what matches, or all that the rows looked at have."""
    matching = sorted(set(matching), reverse=True)
    if len(matching) > PER_PAGE:
        return Found(matching[:PER_PAGE], is_more=True)
    if len(looked_at) < SCANNED:
        return Found(matching, is_more=False)
    return Found(matching, is_more=True, scanned_to=min(looked_at))


def _with_reason(
    ids: Sequence[int], query: Query, organisation: Organisation, known: Routes
) -> list[int]:
    """Returns the messages that could not be delivered, or not yet, for the reason.

    What was said of other organisations' recipients counts for the sender's alone: a
    message that comes and goes with the reason that is typed would spell it out.
    """
    rows = Recipient.objects.filter(
        IdIn("message_id", ids),
        status__in=UNDONE,
        last_reply__icontains=query.reason,
    )
    own = known.domains.names_of(organisation.pk)
    kept = {
        pk
        for pk, address, source, sender, sent_by in rows.values_list(
            "message",
            "address",
            "message__source",
            "message__sender",
            "message__organisation_id",
        )
        if address.rpartition("@")[2] in own
        or trace_visibility.sender_of(source, sender, sent_by, known) == organisation.pk
    }
    return [pk for pk in ids if pk in kept]


def _lines(
    ids: Sequence[int], organisation: Organisation, query: Query, known: Routes
) -> list[Line]:
    rows: Any = QueuedMessage.objects.filter(IdIn("pk", ids)).order_by("-pk")
    rows = rows.values_list(*FIELDS, named=True)
    messages = [one for one in rows if query.covers(one.accepted_at)]
    sent = {
        one.pk
        for one in messages
        if trace_visibility.sending_organisation(one, known) == organisation.pk
    }
    seen = trace_recipients.seen(
        sent,
        [one.pk for one in messages if one.pk not in sent],
        known.domains.names_of(organisation.pk),
    )
    return [
        Line(
            reference=one.reference,
            at=one.accepted_at,
            sender=one.sender,
            recipient=seen[one.pk][0],
            number=sum(seen[one.pk][1].values()),
            statuses=list(seen[one.pk][1].items()),
            kind=Shown.SENT if one.pk in sent else Shown.RECEIVED,
            last_id=one.pk,
        )
        for one in messages
        if one.pk in seen
    ]
