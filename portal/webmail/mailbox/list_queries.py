"""The queries behind a folder's list: filters, order, and counts of conversations."""

from __future__ import annotations

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

from engine.storage.models import Message
from portal.webmail.mailbox.list_options import (
    ASCENDING,
    LARGE_SIZE,
    SORTED_BY,
    ListOptions,
    Show,
)


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
