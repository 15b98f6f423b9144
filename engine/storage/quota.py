"""Counts how much each mailbox holds, and remembers which are full.

The count is on the mailbox's row, and changes in the transaction that adds or removes
messages: a sum over a hundred thousand messages is too slow for a RCPT command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db.models import F

from engine.database import bulk_rows
from engine.registry.models import Mailbox

_full: set[int] = set()


def count_in(octets: Iterable[tuple[int, int]]) -> None:
    """Adds the octets to the mailboxes' counts, in the caller's transaction.

    `octets` are pairs of mailbox id and octets.
    """
    _count(octets, sign=1)


def count_out(octets: Iterable[tuple[int, int]]) -> None:
    """Subtracts the octets from the mailboxes' counts, in the caller's transaction."""
    _count(octets, sign=-1)


def _count(octets: Iterable[tuple[int, int]], *, sign: int) -> None:
    changes: Counter[int] = Counter()
    for mailbox_id, size in octets:
        changes[mailbox_id] += sign * size
    # One statement adds to all rows, so that two deliveries never overwrite each other's
    # count, and lock the rows in one order.
    # What comes or goes is a change of the mailbox, too (`mailbox_changes`): counted by the
    # same statement, it costs a delivery nothing.
    bulk_rows.increment(Mailbox, "used_bytes", changes, counts="change_number")


def refresh_full() -> None:
    """Notes which mailboxes are full now, so that no RCPT command queries the database."""
    full = Mailbox.objects.filter(used_bytes__gte=F("quota_bytes")).order_by()
    found = set(full.values_list("id", flat=True))
    # In two steps, so that a thread that reads meanwhile never sees the set empty.
    _full.intersection_update(found)
    _full.update(found)


def was_full(mailbox_id: int | None) -> bool:
    """Returns whether the mailbox was full at the last refresh, about a second ago."""
    return mailbox_id in _full
