"""A folder's messages, one page at a time, newest first.

Pages are found by the message that they begin after, never by counting from the start:
a folder of a hundred thousand messages opens as fast as one of a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from engine.storage.models import Folder, Message

PAGE_SIZE = 50

# Neighbours of the open message in the list beside it, each way.
NEIGHBOURS = 12


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages of a folder, and the way to the ones around them."""

    messages: list[Message]
    has_newer: bool
    has_older: bool
    count_newer: int

    @property
    def first(self) -> int:
        """The place of the page's first message in the folder, from 1."""
        return self.count_newer + 1

    @property
    def last(self) -> int:
        return self.count_newer + len(self.messages)

    @property
    def newest_id(self) -> int | None:
        return self.messages[0].pk if self.messages else None

    @property
    def oldest_id(self) -> int | None:
        return self.messages[-1].pk if self.messages else None


def newest(folder: Folder) -> Page:
    found = list(_rows(folder)[: PAGE_SIZE + 1])
    return Page(found[:PAGE_SIZE], False, len(found) > PAGE_SIZE, 0)


def older_than(folder: Folder, message_id: int) -> Page:
    """The page that begins after that message."""
    found = list(_rows(folder).filter(pk__lt=message_id)[: PAGE_SIZE + 1])
    newer = _rows(folder).filter(pk__gte=message_id).count()
    return Page(found[:PAGE_SIZE], newer > 0, len(found) > PAGE_SIZE, newer)


def newer_than(folder: Folder, message_id: int) -> Page:
    """The page that ends before that message."""
    ascending = _rows(folder).filter(pk__gt=message_id).order_by("pk")
    found = list(ascending[: PAGE_SIZE + 1])
    if len(found) < PAGE_SIZE:
        return newest(folder)
    page = found[:PAGE_SIZE][::-1]
    newer = _rows(folder).filter(pk__gt=page[0].pk).count()
    older = _rows(folder).filter(pk__lte=message_id).exists()
    return Page(page, newer > 0, older, newer)


def around(message: Message) -> list[Message]:
    """The message and its neighbours in the folder."""
    rows = _rows(message.folder)
    newer = list(rows.filter(pk__gt=message.pk).order_by("pk")[:NEIGHBOURS])
    return newer[::-1] + list(rows.filter(pk__lte=message.pk)[: NEIGHBOURS + 1])


def _rows(folder: Folder) -> QuerySet[Message]:
    return Message.objects.filter(folder=folder).order_by("-pk")
