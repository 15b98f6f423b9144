"""What an organisation's servers, people and keys were refused, as lines of its trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT

from engine.registry.models import Organisation
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Visibility, said_of
from portal.organisation.mail.trace_line import Line
from portal.organisation.mail.trace_query import (
    PER_PAGE,
    SCANNED,
    Query,
    Shown,
    newest_of,
)

# Two texts of the detail, which is decoded where a reason is searched for only.
SAID = {"said_by": KT("detail__sender"), "said": KT("detail__reply")}
FIELDS = ("id", "reference", "kind", "at", "recipient", *SAID)
FIRST = 125  # events read at first; most often they are enough


@dataclass(slots=True)
class Refusal:
    """One event, by FIELDS: Django takes five times as long to make its own."""

    id: int
    reference: str
    kind: str
    at: datetime
    recipient: str
    sender: str | None
    reply: str | None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """The lines of a page, the last id looked at, and whether there may be more."""

    lines: list[Line]
    lowest: int | None
    is_more: bool


def find(organisation: Organisation, query: Query, before: int | None) -> Refused:
    """Returns the lines of a page: one for each message that was refused."""
    if not query.shows(Shown.REFUSED):
        return Refused([], None, is_more=False)
    rows, owner = _rows(query).annotate(**SAID), organisation.pk
    messages: dict[str, list[Refusal]] = {}
    last = before
    is_narrow = query.reason or _has_columns(query)
    for size in (SCANNED,) if is_narrow else (FIRST, SCANNED - FIRST):
        newest = newest_of(rows, "refused_for_id", owner, "pk", last)
        events, lowest, is_more = _read(newest, query, size)
        for event in events:
            if query.covers(event.at) and _has_reason(event, query.reason.casefold()):
                if event.reference not in messages and len(messages) == PER_PAGE:
                    return Refused(_lines(messages), event.id + 1, is_more=True)
                messages.setdefault(event.reference, []).append(event)
        last = last if lowest is None else lowest
        if not is_more:
            return Refused(_lines(messages), last, is_more=False)
    return Refused(_lines(messages), last, is_more=True)


def _has_columns(query: Query) -> bool:
    """Returns whether the database can tell most of what does not match."""
    return bool(query.sender or query.recipient)


def _read(
    newest: QuerySet[Event], query: Query, size: int
) -> tuple[list[Refusal], int | None, bool]:
    """Reads the first `size` events, and returns those with the sender and recipient.

    With them the last id that was looked at, if any, and whether there may be more events.
    What else was looked at stays in the database: making objects of it took half the time.
    """
    fields = (*FIELDS, "detail") if query.reason else FIELDS
    rows: Any = newest
    if not _has_columns(query):
        events = [Refusal(*values) for values in rows.values_list(*fields)[:size]]
        return events, events[-1].id if events else None, len(events) == size
    ids = list(rows.values_list("pk", flat=True)[:size])
    if not ids:
        return [], None, False
    rows = rows.filter(pk__gte=ids[-1])
    if query.recipient:
        rows = rows.filter(recipient=query.recipient)
    if query.sender:
        rows = rows.filter(said_by__iexact=query.sender)
    events = [Refusal(*values) for values in rows.values_list(*fields)]
    return events, ids[-1], len(ids) == size


def _rows(query: Query) -> QuerySet[Event]:
    rows = Event.objects.all()
    if query.reference:
        return rows.filter(reference=query.reference)
    for side, end in query.ids_in_span(Event.objects.all(), "at").items():
        rows = rows.filter(**{f"pk__{side}": end})
    return rows


def _has_reason(event: Refusal, reason: str) -> bool:
    """Returns whether the reply, or our advice about it, has the words."""
    return not reason or reason in said_of(event, Visibility.MEMBER).casefold()


def _lines(messages: dict[str, list[Refusal]]) -> list[Line]:
    return [_line(reference, events) for reference, events in messages.items()]


def _line(reference: str, events: Sequence[Refusal]) -> Line:
    """Returns the line of one message, from its refusals with the newest first."""
    recipients = list(dict.fromkeys(e.recipient for e in reversed(events)))
    recipients = [one for one in recipients if one]
    return Line(
        reference=reference,
        at=events[0].at,
        sender=next((e.sender for e in events if e.sender), ""),
        recipient=recipients[0] if recipients else "",
        number=len(recipients),
        statuses=[(_status(events), len(recipients))],
        kind=Shown.REFUSED,
        last_id=events[0].id,
        reason=_reason(events),
    )


def _status(events: Iterable[Refusal]) -> str:
    if any(event.kind == EventKind.QUARANTINED for event in events):
        return "Stopped: a virus"
    is_final = any((e.reply or "").startswith("5") for e in events)
    return "Refused" if is_final else "Refused for now"


def _reason(events: Iterable[Refusal]) -> str:
    """Returns the text of the newest reply, without its codes."""
    for event in events:
        words = (event.reply or "").split(" ", 2)
        if len(words) == 3:
            return words[2]
    return ""
