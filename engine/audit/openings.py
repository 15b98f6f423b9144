"""Records who looked at what is not theirs, without an entry for each look.

Once for each person or key, thing, method and occasion, which is a day unless the caller
names one. The row is written by the request that looks, before it shows anything; a job
appends it to the audit trail, so that no page waits for the lock of the chain.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from engine.audit.models import Entry, Opening
from engine.audit.record import Actor, append, compose, lock_chain
from engine.database import batches

BATCH = 500
# Rows are listed for a year; the entries in the audit trail stay.
KEPT = timedelta(days=366)
# Openings that this process has written, so that most pages write nothing.
MAX_KNOWN = 20_000

Key: TypeAlias = tuple[str, str, str, str, str]

_known: OrderedDict[Key, None] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Opener:
    audit_key: str
    name: str

    def __str__(self) -> str:
        return self.name


def note(
    event: str,
    subject: models.Model,
    *,
    by: Actor,
    method: str,
    organisation_key: object = "",
    occasion: str = "",
    hidden_until: datetime | None = None,
) -> None:
    """Records that somebody looked at the subject. Writes at most one row.

    `event`, `subject` and `organisation_key` are those of `record`. `occasion` names what
    is recorded once, such as one approved access; by default the day, in UTC. Until
    `hidden_until` no list shows it, and the entry is not among the organisation's.
    """
    once = occasion or timezone.now().date().isoformat()
    kind, pk = subject._meta.label_lower, str(subject.pk)
    key = (kind, pk, by.audit_key, method, once)
    with _lock:
        if key in _known:
            return
    row = Opening(
        at=timezone.now(),
        event=event,
        subject_kind=kind,
        subject_key=pk,
        subject_name=str(subject)[:320],
        organisation_key=str(organisation_key or ""),
        by_key=by.audit_key,
        by_name=str(by)[:320],
        method=method,
        occasion=once,
        hidden_until=hidden_until,
    )
    Opening.objects.bulk_create([row], ignore_conflicts=True)
    transaction.on_commit(lambda: _remember(key))


def reveal(subject: models.Model, *, occasion: str) -> None:
    """Shows from now on what is hidden of an occasion."""
    now = timezone.now()
    Opening.objects.filter(
        subject_kind=subject._meta.label_lower,
        subject_key=str(subject.pk),
        occasion=occasion,
        hidden_until__gt=now,
    ).update(hidden_until=now)


def forget_known() -> None:
    """Forgets which openings this process has written."""
    with _lock:
        _known.clear()


def of(subject: models.Model, *, but_by: Actor) -> QuerySet[Opening]:
    """Returns the openings of a subject by all others that are not hidden now."""
    shown = Q(hidden_until=None) | Q(hidden_until__lte=timezone.now())
    return Opening.objects.filter(
        shown, subject_kind=subject._meta.label_lower, subject_key=str(subject.pk)
    ).exclude(by_key=but_by.audit_key)


def append_waiting() -> int:
    """Appends the openings that the audit trail does not have yet. Returns how many."""
    return batches.run(_append_batch)


def purge() -> int:
    """Deletes rows that are listed no more. Returns how many."""
    return batches.run(_purge_batch)


def _remember(key: Key) -> None:
    with _lock:
        _known[key] = None
        while len(_known) > MAX_KNOWN:
            _known.popitem(last=False)


@transaction.atomic
def _append_batch() -> int:
    waiting = Opening.objects.filter(is_appended=False).order_by("pk")
    if not waiting.exists():
        return 0
    # Before the rows are read: a second worker waits here, and finds them appended.
    lock_chain()
    rows = list(waiting[:BATCH])
    append([_entry(row) for row in rows])
    done = Opening.objects.filter(pk__in=[row.pk for row in rows])
    done.update(is_appended=True)
    return len(rows)


def _entry(row: Opening) -> Entry:
    entry = compose(
        row.event,
        row,
        organisation_key="" if row.hidden_until else row.organisation_key,
        detail={"by": row.method, "opened_at": row.at.isoformat()},
        by=_Opener(row.by_key, row.by_name),
    )
    # The subject may be gone by now; the row has what the entry says of it.
    entry.subject_kind, entry.subject_key = row.subject_kind, row.subject_key
    entry.subject_name = row.subject_name
    return entry


@transaction.atomic
def _purge_batch() -> int:
    old = Opening.objects.filter(is_appended=True, at__lt=timezone.now() - KEPT)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:BATCH])
    Opening.objects.filter(pk__in=ids).delete()
    return len(ids)
