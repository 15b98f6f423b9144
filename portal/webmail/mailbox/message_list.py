"""One page of a folder's messages, by keyset pagination.

A page starts after a given message id and no query counts beyond COUNT_LIMIT, so that a
folder of a hundred thousand messages opens as fast as one of a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.http import urlencode

from engine.registry.addresses import known_senders
from engine.storage import addressees, previews
from engine.storage.models import Folder, Message
from portal.webmail.access import AccessibleMailboxes, MailboxAccess
from portal.webmail.mailbox.list_options import (
    ASCENDING,
    LARGE_SIZE,
    SORTED_BY,
    ListOptions,
    Show,
)

PAGE_SIZE = 50

# The highest count shown exactly; beyond it pages say "more than".
COUNT_LIMIT = 10_000

# Messages listed before the open one, and after it.
NEIGHBOURS = 12


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One row: a message, or the newest message of a conversation."""

    message: Message
    count: int = 1
    unread: int = 0
    people: int = 1
    preview: str = ""

    @property
    def is_unread(self) -> bool:
        """True if any message of the row is unread."""
        return not self.message.is_read or self.unread > 0


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of rows, and the links to its neighbours."""

    options: ListOptions
    rows: list[MessageRow]
    number: int
    has_previous: bool
    has_next: bool
    past: int | None = None
    """The message that the page begins after; None for the first page."""

    @property
    def place(self) -> dict[str, str]:
        """The query parameters that lead back to this page."""
        if self.past is None:
            return self.options.query
        where = {"past": str(self.past), "page": str(self.number)}
        return {**self.options.query, **where}

    @property
    def first(self) -> int:
        """The number of the page's first row, from 1."""
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        """The number of the page's last row."""
        return self.first + len(self.rows) - 1

    @property
    def previous_query(self) -> str:
        """The query string of the previous page."""
        number = max(1, self.number - 1)
        return self._query(back=self.rows[0].message.pk, page=number)

    @property
    def next_query(self) -> str:
        """The query string of the next page."""
        return self._query(past=self.rows[-1].message.pk, page=self.number + 1)

    def _query(self, **place: int) -> str:
        numbers = {name: str(number) for name, number in place.items()}
        return urlencode({**self.options.query, **numbers})


def load_page(
    options: ListOptions,
    *,
    past: int | None = None,
    back: int | None = None,
    number: int = 1,
) -> MessagePage:
    """Loads the page after the message `past`, or before `back`, else the first.

    `number` is the page number to show; it does not affect which messages are loaded.
    """
    if back is not None:
        found = list(_beyond(options, back, forwards=False)[: PAGE_SIZE + 1])
        if len(found) >= PAGE_SIZE:
            rows = found[:PAGE_SIZE][::-1]
            before = [message.pk for message in found[PAGE_SIZE:]]
            return MessagePage(
                options,
                _rows(options, rows),
                number,
                has_previous=bool(before),
                has_next=True,
                past=before[0] if before else None,
            )
        past, number = None, 1
    if past is None:
        found = list(_ordered(options)[: PAGE_SIZE + 1])
        number = 1
    else:
        found = list(_beyond(options, past, forwards=True)[: PAGE_SIZE + 1])
    return MessagePage(
        options,
        _rows(options, found[:PAGE_SIZE]),
        number,
        has_previous=past is not None,
        has_next=len(found) > PAGE_SIZE,
        past=past,
    )


def with_previews(
    rows: list[MessageRow], mailboxes: AccessibleMailboxes, access: MailboxAccess
) -> list[MessageRow]:
    """Returns the rows of a mailbox with the beginning of each text.

    Without it where the person wants one line for each message; and under emergency access,
    whose report names everything whose text was shown.
    """
    if mailboxes.reading.is_compact or access.emergency is not None:
        return rows
    messages = [row.message for row in rows]
    found = previews.of_messages(messages, holder=access.mailbox.organisation_id)
    return [replace(row, preview=found.get(row.message.pk, "")) for row in rows]


def count(folder: Folder) -> int:
    """Returns how many messages a folder has, at most COUNT_LIMIT + 1."""
    rows = Message.objects.filter(folder=folder).order_by()
    return rows[: COUNT_LIMIT + 1].count()


def around(options: ListOptions, message: Message) -> tuple[list[MessageRow], int]:
    """Returns the rows around a message as the folder is listed, and its row's place.

    Where conversations are grouped its row is that of its conversation, and shows the
    newest message.
    """
    row = message
    if options.groups_conversations:
        same = Message.objects.filter(folder=options.folder, thread=message.thread)
        row = same.order_by("-pk").first() or message
    before = list(_beyond(options, row.pk, forwards=False)[:NEIGHBOURS])
    after = list(_beyond(options, row.pk, forwards=True)[:NEIGHBOURS])
    near = [*before[::-1], row, *after]
    for one in near:
        one.folder = options.folder
    return _rows(options, near), len(before)


def correspondents(
    messages: Iterable[Message], *, sent: Iterable[Message]
) -> dict[str, Any]:
    """Returns the template context for the `correspondent_*` tags of these messages.

    `sent` are the messages whose row names the recipients instead of the sender. Costs
    one query, another if `sent` is not empty, and two if a sender gave no name.
    """
    messages = list(messages)
    recipients = addressees.of_messages(sent)
    senders = [m.from_address for m in messages if m.pk not in recipients]
    written_to = [str(n.address) for one in recipients.values() for n in one.first]
    return {
        "recipients": recipients,
        "directory_names": known_senders.directory_names(
            m.from_address
            for m in messages
            if m.pk not in recipients and not m.from_name
        ),
        "organisations": known_senders.organisations_of([*senders, *written_to]),
    }


def _ordered(options: ListOptions) -> QuerySet[Message]:
    rows = Message.objects.filter(folder=options.folder)
    if options.show is Show.UNREAD:
        rows = rows.filter(is_read=False)
    if options.show is Show.FLAGGED:
        rows = rows.filter(is_flagged=True)
    if options.show is Show.MINE:
        rows = rows.filter(assigned_to=options.reader_id)
    if options.show is Show.NOBODYS:
        rows = rows.filter(assigned_to=0)
    if options.show is Show.FILES:
        rows = rows.filter(has_attachments=True)
    if options.show is Show.LARGE:
        rows = rows.filter(size__gt=LARGE_SIZE)
    if options.sender:
        rows = rows.filter(from_address=options.sender)
    if options.groups_conversations:
        newer = Message.objects.filter(
            folder=options.folder, thread=OuterRef("thread"), pk__gt=OuterRef("pk")
        )
        rows = rows.filter(~Exists(newer))
    return _sorted(rows, options, up=options.order in ASCENDING)


def _sorted(
    rows: QuerySet[Message], options: ListOptions, *, up: bool
) -> QuerySet[Message]:
    names = [*filter(None, [SORTED_BY.get(options.order)]), "pk"]
    return rows.order_by(*(name if up else f"-{name}" for name in names))


def _beyond(
    options: ListOptions, message_id: int, *, forwards: bool
) -> QuerySet[Message]:
    """Returns the messages after the given one, or before it, nearest first."""
    up = (options.order in ASCENDING) is forwards
    rows = _sorted(_ordered(options), options, up=up)
    side = "gt" if up else "lt"
    beyond = Q(**{f"pk__{side}": message_id})
    name = SORTED_BY.get(options.order)
    if name is None:
        return rows.filter(beyond)
    found = Message.objects.filter(pk=message_id, mailbox=options.folder.mailbox_id)
    value = found.values_list(name, flat=True).first()
    if value is None:
        return rows if forwards else rows.none()
    # The first condition is where the index begins; the second leaves out what was shown.
    return rows.filter(**{f"{name}__{side}e": value}).filter(
        Q(**{f"{name}__{side}": value}) | (Q(**{name: value}) & beyond)
    )


def _rows(options: ListOptions, messages: list[Message]) -> list[MessageRow]:
    """Returns the messages as rows, with the counts of their conversations."""
    if not options.groups_conversations:
        return [MessageRow(message) for message in messages]
    counted = (
        Message.objects.filter(folder=options.folder)
        .filter(thread__in={message.thread for message in messages})
        .order_by()
        .values_list("thread")
        .annotate(
            total=Count("pk"),
            unread=Count("pk", filter=Q(is_read=False)),
            people=Count("from_address", distinct=True),
        )
    )
    counts = {thread: numbers for thread, *numbers in counted}
    return [MessageRow(m, *counts.get(m.thread, ())) for m in messages]
