"""A folder's messages, one page at a time.

Pages are found by the message that they begin after, never by counting from the start,
and what is counted is counted to a limit: a folder of a hundred thousand messages opens
as fast as one of a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.http import urlencode

from engine.registry.addresses import known_senders
from engine.storage import addressees
from engine.storage.models import Folder, Message
from portal.webmail.mailbox.list_options import Order, Show, View

PAGE_SIZE = 50

# Where counting stops, and "more than" begins.
COUNT_LIMIT = 10_000

# Neighbours of the open message in the list beside it, each way.
NEIGHBOURS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a message, or the newest of a conversation."""

    message: Message
    count: int = 1
    unread: int = 0

    @property
    def is_unread(self) -> bool:
        return not self.message.is_read or self.unread > 0


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a folder, and the way to the ones around them."""

    view: View
    rows: list[Row]
    number: int
    has_previous: bool
    has_next: bool
    past: int | None = None
    """The message that the page begins after; None for the first page."""

    @property
    def place(self) -> dict[str, str]:
        """What of it stands in the address: the view, and where in it the page begins."""
        if self.past is None:
            return self.view.query
        where = {"past": str(self.past), "page": str(self.number)}
        return {**self.view.query, **where}

    @property
    def first(self) -> int:
        """The place of the page's first line, from 1."""
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def previous_query(self) -> str:
        number = max(1, self.number - 1)
        return self._query(back=self.rows[0].message.pk, page=number)

    @property
    def next_query(self) -> str:
        return self._query(past=self.rows[-1].message.pk, page=self.number + 1)

    def _query(self, **place: int) -> str:
        numbers = {name: str(number) for name, number in place.items()}
        return urlencode({**self.view.query, **numbers})


def page_of(
    view: View, *, past: int | None = None, back: int | None = None, number: int = 1
) -> Page:
    """The page after or before that message, else the first."""
    if back is not None:
        found = list(_beyond(view, back, forwards=False)[: PAGE_SIZE + 1])
        if len(found) >= PAGE_SIZE:
            rows = found[:PAGE_SIZE][::-1]
            before = [message.pk for message in found[PAGE_SIZE:]]
            return Page(
                view,
                _told(view, rows),
                number,
                has_previous=bool(before),
                has_next=True,
                past=before[0] if before else None,
            )
        past, number = None, 1
    if past is None:
        found = list(_ordered(view)[: PAGE_SIZE + 1])
        number = 1
    else:
        found = list(_beyond(view, past, forwards=True)[: PAGE_SIZE + 1])
    return Page(
        view,
        _told(view, found[:PAGE_SIZE]),
        number,
        has_previous=past is not None,
        has_next=len(found) > PAGE_SIZE,
        past=past,
    )


def count(folder: Folder) -> int:
    """How many messages there are, up to one more than the limit."""
    rows = Message.objects.filter(folder=folder).order_by()
    return rows[: COUNT_LIMIT + 1].count()


def around(message: Message) -> list[Message]:
    """The message and its neighbours in the folder, newest first."""
    rows = Message.objects.filter(folder=message.folder_id)
    newer = list(rows.filter(pk__gt=message.pk).order_by("pk")[:NEIGHBOURS])
    older = rows.filter(pk__lte=message.pk).order_by("-pk")[: NEIGHBOURS + 1]
    return newer[::-1] + list(older)


def correspondents(
    messages: Iterable[Message], *, sent: Iterable[Message]
) -> dict[str, Any]:
    """What the lines of a list need to show whose each message is, for the context.

    `sent` are those whose line names the recipients instead of the sender. One query,
    and one more where there are such.
    """
    recipients = addressees.of_messages(sent)
    senders = [m.from_address for m in messages if m.pk not in recipients]
    written_to = [str(n.address) for one in recipients.values() for n in one.first]
    return {
        "recipients": recipients,
        "organisations": known_senders.organisations_of([*senders, *written_to]),
    }


def _ordered(view: View) -> QuerySet[Message]:
    rows = Message.objects.filter(folder=view.folder)
    if view.show is Show.UNREAD:
        rows = rows.filter(is_read=False)
    if view.show is Show.FLAGGED:
        rows = rows.filter(is_flagged=True)
    if view.gathers:
        newer = Message.objects.filter(
            folder=view.folder, thread=OuterRef("thread"), pk__gt=OuterRef("pk")
        )
        rows = rows.filter(~Exists(newer))
    return rows.order_by("-pk" if view.order is Order.NEWEST else "pk")


def _beyond(view: View, message_id: int, *, forwards: bool) -> QuerySet[Message]:
    """What follows that message on the way forwards, or on the way back."""
    goes_down = (view.order is Order.NEWEST) is forwards
    rows = _ordered(view)
    if goes_down:
        return rows.filter(pk__lt=message_id).order_by("-pk")
    return rows.filter(pk__gt=message_id).order_by("pk")


def _told(view: View, messages: list[Message]) -> list[Row]:
    """The messages as lines, each with what its conversation holds in this folder."""
    if not view.gathers:
        return [Row(message) for message in messages]
    counted = (
        Message.objects.filter(folder=view.folder)
        .filter(thread__in={message.thread for message in messages})
        .order_by()
        .values_list("thread")
        .annotate(total=Count("pk"), unread=Count("pk", filter=Q(is_read=False)))
    )
    counts = {thread: (total, unread) for thread, total, unread in counted}
    return [Row(m, *counts.get(m.thread, (1, 0))) for m in messages]
