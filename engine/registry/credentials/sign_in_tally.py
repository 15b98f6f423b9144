"""Counts sign-ins of programs, and failed ones of people, for the audit trail.

By person or key, method, source network and hour: in memory, then in rows, which a job
appends to the trail in batches once their hour is over. So no sign-in of a program and no
guess of a stranger waits for the chain's lock. What is no person's address is not counted.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import TypeVar

from django.db import DatabaseError, models, transaction

from engine.audit.models import Entry, SignInTally
from engine.audit.record import append, compose, lock_chain
from engine.database import batches, clock
from engine.registry.models import ApiKey, Person
from engine.registry.networks import network_of

HOUR = timedelta(hours=1)
# Rows are written this often, or when so many counts wait. A killed process loses what it
# has not written.
FLUSH_SECONDS, FLUSH_SIZE = 300.0, 5_000
# Counts that one process keeps while the database does not answer. Of failures fewer, so
# that a stranger with many names pushes out no sign-in.
MAX_SIGN_INS, MAX_FAILURES = 50_000, 10_000
# How long after its end an hour is appended, so that every process has written its rows.
GRACE = timedelta(seconds=FLUSH_SECONDS * 2)
BATCH = 2_000
SLICE = 500  # values in one statement

Value = TypeVar("Value")


class SignInMethod(StrEnum):
    """Where somebody signs in."""

    POP3 = "POP3"
    SUBMISSION = "submission"
    API = "API"
    SITE = "website"
    CODE = "second factor"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is counted. A failure has the address that was tried, in its key form."""

    hour: int
    method: str
    source: str
    succeeded: bool
    kind: str = ""
    key: str = ""
    address: str = ""


class Tally:
    """The counts of this process that are not written yet. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sign_ins: Counter[Attempt] = Counter()
        self._failures: Counter[Attempt] = Counter()
        self._flushed_at = time.monotonic()

    def signed_in(
        self, subject: Person | ApiKey, method: SignInMethod, *, peer: str
    ) -> None:
        """Counts a sign-in of a program."""
        kind, key = subject._meta.label_lower, str(subject.pk)
        self._add(Attempt(_hour(), method, network_of(peer), True, kind, key))

    def failed(self, address: str, method: SignInMethod, *, peer: str) -> None:
        """Counts a failure at an address, which need not exist."""
        self._add(Attempt(_hour(), method, network_of(peer), False, address=address))

    def refused(self, key: ApiKey, method: SignInMethod, *, peer: str) -> None:
        """Counts an attempt with a key that has ended, or under another client's id."""
        kind = key._meta.label_lower
        self._add(Attempt(_hour(), method, network_of(peer), False, kind, str(key.pk)))

    def flush(self) -> int:
        """Writes what waits; returns the number of rows. Raises DatabaseError."""
        with self._lock:
            waiting = self._sign_ins + self._failures
            self._sign_ins, self._failures = Counter(), Counter()
            self._flushed_at = time.monotonic()
        try:
            rows = list(_rows(waiting))
            SignInTally.objects.bulk_create(rows, batch_size=SLICE)
        except DatabaseError:
            for attempt, count in waiting.items():
                self._add(attempt, count)
            raise
        return len(rows)

    def flush_if_due(self) -> None:
        """Writes what waits, if it is much or has waited for long."""
        size = len(self._sign_ins) + len(self._failures)
        is_old = time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        if size and (is_old or size >= FLUSH_SIZE):
            self.flush()

    def _add(self, attempt: Attempt, count: int = 1) -> None:
        with self._lock:
            counts, most = self._failures, MAX_FAILURES
            if attempt.succeeded:
                counts, most = self._sign_ins, MAX_SIGN_INS
            if attempt in counts or len(counts) < most:
                counts[attempt] += count


tally = Tally()


def append_due() -> int:
    """Appends the counts of each hour that is over. Returns the number of rows."""
    return batches.run(_append_batch)


def _hour() -> int:
    return int(clock.estimated_timestamp() // HOUR.total_seconds())


def _rows(waiting: Counter[Attempt]) -> Iterator[SignInTally]:
    """Yields a row for each count of a person or key that exists."""
    tried = sorted({one.address for one in waiting if one.address})
    ids: dict[str, int] = {}
    for some in _slices(tried):
        found = Person.objects.filter(address__in=some)
        ids.update(found.values_list("address", "pk"))
    for attempt, count in waiting.items():
        kind, key = attempt.kind, attempt.key
        if attempt.address:
            if attempt.address not in ids:
                continue
            kind, key = Person._meta.label_lower, str(ids[attempt.address])
        seconds = attempt.hour * HOUR.total_seconds()
        yield SignInTally(
            hour=datetime.fromtimestamp(seconds, UTC),
            subject_kind=kind,
            subject_key=key,
            method=attempt.method,
            source=attempt.source,
            succeeded=attempt.succeeded,
            count=count,
        )


@transaction.atomic
def _append_batch() -> int:
    # Before the rows are read: a second worker waits here, and finds them gone.
    lock_chain()
    now = clock.now() - GRACE
    over = now.replace(minute=0, second=0, microsecond=0)
    rows = list(SignInTally.objects.filter(hour__lt=over).order_by(*_GROUP)[:BATCH])
    groups = [list(group) for _, group in groupby(rows, key=_group_of)]
    if len(rows) == BATCH and len(groups) > 1:
        groups.pop()  # it may go on in the next batch
    subjects = _subjects(rows)
    entries = [_entry(group, subjects) for group in groups]
    append([entry for entry in entries if entry is not None])
    done = [row.pk for group in groups for row in group]
    for some in _slices(done):
        SignInTally.objects.filter(pk__in=some).delete()
    return len(done)


_GROUP = ("hour", "subject_kind", "subject_key", "method", "source", "succeeded")


def _group_of(row: SignInTally) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in _GROUP)


def _subjects(rows: Iterable[SignInTally]) -> dict[tuple[str, str], Person | ApiKey]:
    found: dict[tuple[str, str], Person | ApiKey] = {}
    kinds: tuple[type[models.Model], ...] = (Person, ApiKey)
    for model in kinds:
        kind = model._meta.label_lower
        wanted = sorted({int(r.subject_key) for r in rows if r.subject_kind == kind})
        for some in _slices(wanted):
            for one in model._default_manager.filter(pk__in=some):
                found[kind, str(one.pk)] = one  # type: ignore[assignment]
    return found


def _entry(
    group: Sequence[SignInTally], subjects: dict[tuple[str, str], Person | ApiKey]
) -> Entry | None:
    """Returns the entry of one person or key, method, source and hour."""
    first = group[0]
    subject = subjects.get((first.subject_kind, first.subject_key))
    if subject is None:
        return None  # removed since
    detail = {
        "by": first.method,
        "network": first.source,
        "hour": first.hour.astimezone(UTC).isoformat(),
        "count": sum(row.count for row in group),
    }
    return compose(
        _event(first, subject),
        subject,
        organisation_key=subject.organisation_id,
        detail=detail,
        by=subject if first.succeeded else None,
    )


def _event(row: SignInTally, subject: Person | ApiKey) -> str:
    if isinstance(subject, ApiKey):
        return "api_key.signed_in" if row.succeeded else "api_key.refused"
    if row.method in (SignInMethod.SITE, SignInMethod.CODE):
        return "person.sign_in_failed"
    return (
        "person.program_signed_in" if row.succeeded else "person.program_sign_in_failed"
    )


def _slices(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    for first in range(0, len(values), SLICE):
        yield values[first : first + SLICE]
