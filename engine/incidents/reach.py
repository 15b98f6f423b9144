"""Says how far messages got, by their traces and the mailboxes; never what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from engine.queue.models import Recipient, RecipientStatus
from engine.storage.models import FirstUse, Message, MessageFacts, WithdrawnCopy
from engine.trace.models import Event, EventKind

# Events that are read for one page of messages.
MOST = 20_000
LEVELS = 5  # lists within lists that are followed
OUTCOMES = (
    EventKind.RECEIVED,
    EventKind.DELIVERED,
    EventKind.RELAYED,
    EventKind.EXPANDED,
    EventKind.FAILED,
    EventKind.DROPPED,
)
WAITING = (RecipientStatus.QUEUED, RecipientStatus.HELD)


@dataclass(slots=True)
class Reach:
    """How far one message got. Numbers of recipients, and of copies in mailboxes here."""

    sender: str = ""
    at: datetime | None = None
    recipients: int = 0
    unopened: int = 0
    opened: int = 0
    """In webmail, or in a way that was not recorded."""
    fetched: int = 0
    """By a mail program, the API or an export."""
    forwarded: int = 0
    withdrawn: int = 0
    erased: int = 0
    """Delivered, and deleted since by the mailbox's readers."""
    servers: int = 0
    """Handed to the recipient's own server."""
    lists: int = 0
    waiting: int = 0
    failed: int = 0


def of(references: Collection[str]) -> dict[str, Reach]:
    """Returns the reach of each message, with five queries."""
    found: defaultdict[str, Reach] = defaultdict(Reach)
    copies: dict[int, str] = {}
    events = Event.objects.filter(reference__in=references, kind__in=OUTCOMES)
    for reference, kind, at, detail in events.order_by("pk").values_list(
        "reference", "kind", "at", "detail"
    )[:MOST]:
        reach = found[reference]
        match EventKind(kind):
            case EventKind.RECEIVED:
                reach.sender, reach.at = str(detail.get("sender", "")), at
                reach.recipients = int(detail.get("recipients", 0))
            case EventKind.RELAYED:
                reach.servers += 1
            case EventKind.EXPANDED:
                reach.lists += 1
            case EventKind.FAILED | EventKind.DROPPED:
                reach.failed += 1
            case EventKind.DELIVERED:
                # An earlier version did not note which copy it was.
                if stored := detail.get("message", 0):
                    # Two addresses of one mailbox have one copy.
                    reach.erased += stored not in copies
                    copies[stored] = reference
    _count_copies(copies, found)
    waiting = Recipient.objects.filter(
        message__reference__in=references, status__in=WAITING
    )
    for reference, number in waiting.values_list("message__reference").annotate(
        Count("pk")
    ):
        found[reference].waiting = number
    return found


def was_used(copy: MessageFacts) -> bool:
    """Whether the content of a copy was seen, or left the mailbox."""
    # Of mail from before the use was noted, or read in a process of an earlier version,
    # the mark alone tells.
    return copy.is_read or copy.first_use not in ("", FirstUse.UNKNOWN)


def with_lists(reference: str) -> Iterator[str]:
    """Yields a message's reference, then those under which lists sent it on.

    They are looked for when they are asked for, so after what was done with the first.
    """
    level = [reference]
    for _ in range(LEVELS):
        yield from level
        sent_on = Event.objects.filter(
            reference__in=level, kind=EventKind.EXPANDED
        ).values_list("detail__sent_on_as", flat=True)
        level = sorted({str(one) for one in sent_on if one})


def _count_copies(copies: dict[int, str], found: dict[str, Reach]) -> None:
    if not copies:
        return
    rows = Message.objects.filter(pk__in=copies).only("first_use", "is_read")
    for row in rows.iterator():
        reach = found[copies[row.pk]]
        reach.erased -= 1
        if not was_used(row):
            reach.unopened += 1
        elif row.first_use == FirstUse.FETCHED:
            reach.fetched += 1
        elif row.first_use == FirstUse.FORWARDED:
            reach.forwarded += 1
        else:
            reach.opened += 1
    for pk in WithdrawnCopy.objects.filter(pk__in=copies).values_list("pk", flat=True):
        found[copies[pk]].erased -= 1
        found[copies[pk]].withdrawn += 1
