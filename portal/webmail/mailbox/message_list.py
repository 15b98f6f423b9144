"""One page of a folder's messages, by keyset pagination.

A page starts after a given message id and no query counts beyond COUNT_LIMIT, so that a
folder of a hundred thousand messages opens as fast as one of a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.utils.http import urlencode

from engine.registry.addresses import known_senders
from engine.storage import addressees, previews
from engine.storage.models import Folder, Message
from portal.webmail.access import AccessibleMailboxes, MailboxAccess
from portal.webmail.mailbox import list_queries
from portal.webmail.mailbox.list_options import ListOptions

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
        found = list_queries.next_to(options, back, PAGE_SIZE + 1, forwards=False)
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
        found = list_queries.first(options, PAGE_SIZE + 1)
        number = 1
    else:
        found = list_queries.next_to(options, past, PAGE_SIZE + 1, forwards=True)
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
    newest message. A message that was moved out of the folder meanwhile is shown alone.
    """
    near = list_queries.around(options, message, NEIGHBOURS)
    for one in near:
        one.folder = options.folder
    grouped = options.groups_conversations
    places = (
        place
        for place, one in enumerate(near)
        if one.pk == message.pk or (grouped and one.thread == message.thread)
    )
    position = next(places, None)
    if position is None:
        return [MessageRow(message)], 0
    return _rows(options, near), position


def correspondents(
    messages: Iterable[Message],
    *,
    sent: Iterable[Message],
    opened: Message | None = None,
) -> dict[str, Any]:
    """Returns the template context for the `correspondent_*` tags of these messages.

    `sent` are the messages whose row names the recipients instead of the sender. Costs
    one query, another if `sent` is not empty, and two if a sender gave no name. `known` is
    also what the registry says of the sender of the message that is open.
    """
    messages = list(messages)
    recipients = addressees.of_messages(sent)
    senders = [m.from_address for m in messages if m.pk not in recipients]
    written_to = [str(n.address) for one in recipients.values() for n in one.first]
    addresses = [*senders, *written_to]
    known = known_senders.look_up(
        addresses, named=opened.from_address if opened else ""
    )
    return {
        "known": known,
        "recipients": recipients,
        "directory_names": known_senders.directory_names(
            m.from_address
            for m in messages
            if m.pk not in recipients and not m.from_name
        ),
        "organisations": known_senders.organisation_names(addresses, known.members),
    }


def _rows(options: ListOptions, messages: list[Message]) -> list[MessageRow]:
    """Returns the messages as rows, with the counts of their conversations."""
    if not options.groups_conversations:
        return [MessageRow(message) for message in messages]
    names = ("total", "unread", "people")
    return [MessageRow(m, *(vars(m)[name] for name in names)) for m in messages]
