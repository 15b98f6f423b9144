"""The queries behind a folder's list: filters, order, and counts of conversations."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.db.models import (
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce

from engine.database.prepared_queries import PreparedQuery
from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.mailbox.id_unions import ids_of
from portal.webmail.mailbox.list_options import (
    ASCENDING,
    LARGE_SIZE,
    SORTED_BY,
    ListOptions,
    Show,
)

# Forms of a list: order, filter and grouping.
STATEMENTS_KEPT = 64


def ordered(options: ListOptions) -> QuerySet[Message]:
    """Returns the messages that a folder's list shows, in its order."""
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
        rows = with_counts(rows, options)
    return in_order(rows, options, up=options.order in ASCENDING)


def with_counts(rows: QuerySet[Message], options: ListOptions) -> QuerySet[Message]:
    """Adds the counts of each row's conversation.

    In the same statement: the database makes them for the rows of the page only, which
    come in the order of an index.
    """
    alike = Message.objects.filter(
        folder=options.folder, thread=OuterRef("thread")
    ).order_by()
    senders = Count("from_address", distinct=True)
    return rows.annotate(
        total=_counted(alike, Count("pk")),
        unread=_counted(alike.filter(is_read=False), Count("pk")),
        people=_counted(alike, senders),
    )


def _counted(rows: QuerySet[Message], number: Count) -> Coalesce:
    counted = rows.values("thread").annotate(number=number).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def in_order(
    rows: QuerySet[Message], options: ListOptions, *, up: bool
) -> QuerySet[Message]:
    """Sorts messages as a list is, or the other way round; `up` is from the least."""
    names = [*filter(None, [SORTED_BY.get(options.order)]), "pk"]
    return rows.order_by(*(name if up else f"-{name}" for name in names))


def beyond(
    options: ListOptions, message_id: Any, *, forwards: bool
) -> QuerySet[Message]:
    """Returns the messages after the given one, or before it, nearest first."""
    up = (options.order in ASCENDING) is forwards
    rows = in_order(ordered(options), options, up=up)
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


def first(options: ListOptions, count: int) -> list[Message]:
    """Returns the first messages of a list."""
    if options.sender:
        return list(ordered(options)[:count])
    return _first_query(_shape(options), count)(options.folder.pk, options.reader_id)


def next_to(
    options: ListOptions, message_id: int, count: int, *, forwards: bool
) -> list[Message]:
    """Returns the messages after the given one, or before it, nearest first."""
    if options.sender or options.order in SORTED_BY:
        return list(beyond(options, message_id, forwards=forwards)[:count])
    query = _beyond_query(_shape(options), count, forwards)
    return query(options.folder.pk, options.reader_id, message_id)


def around(options: ListOptions, message: Message, count: int) -> list[Message]:
    """Returns the row of a message and as many rows on both sides, in the list's order."""
    if options.sender or options.order in SORTED_BY:
        return list(_around(options, message, count))
    query = _around_query(_shape(options), count)
    return query(options.folder.pk, options.reader_id, message.pk, message.thread)


def _around(options: ListOptions, message: Message, count: int) -> QuerySet[Message]:
    row_id: Any = message.pk
    if options.groups_conversations:
        same = Message.objects.filter(folder=options.folder, thread=message.thread)
        row_id = Subquery(same.order_by("-pk").values("pk")[:1])
    found = ids_of(
        beyond(options, row_id, forwards=False)[:count],
        Message.objects.filter(folder=options.folder, pk=row_id),
        beyond(options, row_id, forwards=True)[:count],
    )
    rows = Message.objects.filter(pk__in=found)
    if options.groups_conversations:
        rows = with_counts(rows, options)
    return in_order(rows, options, up=options.order in ASCENDING)


def _shape(options: ListOptions) -> ListOptions:
    """Returns options that are the same for all lists with the same statements."""
    custom = Folder(pk=0, role=FolderRole.CUSTOM)
    return ListOptions(
        custom,
        order=options.order,
        show=options.show,
        conversations=options.groups_conversations,
    )


def _of(shape: ListOptions, folder_id: int, reader_id: int) -> ListOptions:
    folder = Folder(pk=folder_id, role=FolderRole.CUSTOM)
    return replace(shape, folder=folder, reader_id=reader_id)


@lru_cache(STATEMENTS_KEPT)
def _first_query(shape: ListOptions, count: int) -> PreparedQuery[Message]:
    return PreparedQuery(
        lambda folder, reader: ordered(_of(shape, folder, reader))[:count]
    )


@lru_cache(STATEMENTS_KEPT)
def _beyond_query(
    shape: ListOptions, count: int, forwards: bool
) -> PreparedQuery[Message]:
    return PreparedQuery(
        lambda folder, reader, past: beyond(
            _of(shape, folder, reader), past, forwards=forwards
        )[:count]
    )


@lru_cache(STATEMENTS_KEPT)
def _around_query(shape: ListOptions, count: int) -> PreparedQuery[Message]:
    return PreparedQuery(
        lambda folder, reader, message, thread: _around(
            _of(shape, folder, reader), Message(pk=message, thread=thread), count
        )
    )
