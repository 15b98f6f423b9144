"""How much each mailbox holds, and which are full.

The count stands on the mailbox's row, and changes in the transaction that puts messages
in or takes them out: no sum over a hundred thousand messages is ever needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db.models import F

from engine import rows
from engine.registry.models import Mailbox

_full: set[int] = set()


def count_in(octets: Iterable[tuple[int, int]]) -> None:
    """Add (mailbox, octets) to what mailboxes hold, in the caller's transaction."""
    _count(octets, sign=1)


def count_out(octets: Iterable[tuple[int, int]]) -> None:
    """Take (mailbox, octets) off what mailboxes hold, in the caller's transaction."""
    _count(octets, sign=-1)


def _count(octets: Iterable[tuple[int, int]], *, sign: int) -> None:
    changes: Counter[int] = Counter()
    for mailbox_id, size in octets:
        changes[mailbox_id] += sign * size
    rows.add(Mailbox, "used_bytes", changes)


def look() -> None:
    """Note which mailboxes are full now, so that no RCPT asks the database."""
    full = Mailbox.objects.filter(used_bytes__gte=F("quota_bytes")).order_by()
    found = set(full.values_list("id", flat=True))
    _full.intersection_update(found)
    _full.update(found)


def was_full(mailbox_id: int | None) -> bool:
    """True where the mailbox was full at the last look, a second ago or so."""
    return mailbox_id in _full
