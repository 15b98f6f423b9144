"""Verifies the chain by all checkpoints, and names what was done to it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.utils.text import capfirst

from engine.audit.checkpoints import outside
from engine.audit.checkpoints.marks import Mark, Marks
from engine.audit.checkpoints.time_stamps import TimeStampError
from engine.audit.checkpoints.time_stamps import check as check_time_stamp
from engine.audit.checkpoints.walk import Walk
from engine.audit.models import ChainCheck, Entry
from engine.audit.record import BrokenChainError
from engine.database import clock

# Finished verifications, besides those that an alarm may still be about.
KEPT = 100
SLICE_SECONDS = 20.0
# A verification begins this long after the one before, and at least five times as long
# after it as that one took.
EVERY = timedelta(hours=1)
REST = 5


def verify(
    files: Iterable[str] = (), keys: Mapping[str, Ed25519PublicKey] | None = None
) -> ChainCheck:
    """Verifies the whole chain now, and records the result. Raises OSError for a file.

    `files` hold lines of checkpoints that were kept out of reach, and `keys` the public
    keys that are trusted, by name; by default those in the database.
    """
    check = ChainCheck(began_at=clock.now())
    marks = Marks(files, keys or {})
    walk = Walk(check, marks)
    walk.go()
    _verify_time_stamps(walk)
    _finish(walk)
    return check


def configured_files() -> list[str]:
    """Returns the file that checkpoints are appended to, if this host has it.

    Another host may write it, and before the first checkpoint there is none.
    """
    file = outside.file_here()
    return [file] if file and Path(file).exists() else []


def verify_slice() -> bool:
    """Goes on with the periodic verification, or begins one; False if none is due."""
    now = clock.now()
    begun = ChainCheck.objects.filter(finished_at=None).first()
    newest = ChainCheck.objects.exclude(finished_at=None).first()
    if begun is None and newest is not None and newest.finished_at is not None:
        rest = max(EVERY, REST * (newest.finished_at - newest.began_at))
        if newest.finished_at <= now < newest.finished_at + rest:
            return False
    check = begun or ChainCheck(began_at=now)
    walk = Walk(check, Marks(configured_files(), {}))
    if walk.go(time.monotonic() + SLICE_SECONDS):
        _finish(walk)
    else:
        check.save()
    return True


def verify_chain() -> int:
    """Verifies the chain by the table's checkpoints alone, and returns its length.

    Raises BrokenChainError with the first entry that a problem is about; or with the last
    entry, if those after it are missing.
    """
    check = ChainCheck(began_at=clock.now())
    walk = Walk(check, Marks([], {}))
    walk.go()
    _judge(walk)
    if check.problems:
        raise BrokenChainError(check.problems[0][2] or check.last_id)
    return check.position


def unproved(check: ChainCheck) -> tuple[int, datetime | None]:
    """Returns how many entries no checkpoint proves yet, and the time of the oldest."""
    tail = Entry.objects.filter(pk__gt=check.proved_id, pk__lte=check.last_id)
    oldest = tail.order_by("pk").values_list("at", flat=True).first()
    return check.position - check.proved, oldest


def doubtful_count(files: Iterable[str], keys: Mapping[str, Ed25519PublicKey]) -> int:
    """Returns how many checkpoints prove nothing, as others may have their key."""
    return sum(mark.is_doubtful for mark in Marks(files, keys))


def abandoned(
    files: Iterable[str], keys: Mapping[str, Ed25519PublicKey] | None
) -> list[str]:
    """Returns the ids of the checkpoints that the chain does not agree with."""
    walk = Walk(ChainCheck(began_at=clock.now()), Marks(files, keys or {}))
    walk.go()
    astray, removed = _astray(walk)
    return [mark.statement.id for mark in (*astray, *removed)]


def _finish(walk: Walk) -> None:
    _judge(walk)
    _look_for_lost(walk)
    walk.check.is_outside = walk.marks.is_outside
    walk.check.finished_at = clock.now()
    walk.check.save()
    finished = ChainCheck.objects.exclude(finished_at=None)
    kept = set(finished.values_list("pk", flat=True)[:KEPT])
    kept |= {one.pk for one in latest()}
    ChainCheck.objects.exclude(finished_at=None).exclude(pk__in=kept).delete()


def latest() -> list[ChainCheck]:
    """Returns the last verification, and the last that used checkpoints kept out of reach.

    What the second has found stands until checkpoints from outside were compared again.
    """
    finished = ChainCheck.objects.exclude(finished_at=None)
    found = [finished.first(), finished.filter(is_outside=True).first()]
    return list(dict.fromkeys(one for one in found if one is not None))


def _judge(walk: Walk) -> None:
    """Adds the problems that show only at the end of the chain."""
    check = walk.check
    has_gap = any(kind == "missing" for kind, _, _ in check.problems)
    for fault in walk.marks.faults:
        walk.report("forged", fault)
    _compare_end(walk)
    astray, removed = _astray(walk)
    if astray and has_gap:
        text = (
            f"{capfirst(_first(astray))} proves entries that are gone.{_more(astray)}"
        )
        walk.report("missing", text, check.last_id)
    elif astray:
        walk.report(*_named(walk, astray), check.last_id)
    elif removed:
        walk.report(
            "removed",
            f"{capfirst(_first(removed))} is no longer in the table of checkpoints: it was removed "
            f"there, or an older backup was restored.{_more(removed)}",
            check.last_id,
        )


def _look_for_lost(walk: Walk) -> None:
    """Reports checkpoints that this service has made and kept, and that are gone."""
    for key in walk.marks.unused_keys():
        text = (
            f"The database has no checkpoint that was signed with the key {key}: they were "
            "removed, or the worker has not run since the key was made."
        )
        walk.report("removed", text)
    lost = outside.missing_from_file()
    if lost:
        count = len(lost)
        were = "checkpoint that was" if count == 1 else "checkpoints that were"
        text = (
            f"{count} {were} appended to {outside.file_here()} "
            f"{'is' if count == 1 else 'are'} not in it: the file was lost, cut off or "
            "replaced. Once you know why, run manage.py verify_audit --append-again."
        )
        walk.report("removed", text)


def _compare_end(walk: Walk) -> None:
    check, end = walk.check, walk.end
    if check.digest == end.digest and (
        check.position == end.length or not check.is_counted
    ):
        return
    if check.is_counted and end.length > check.position:
        count = end.length - check.position
        text = (
            f"The last {count} of {end.length} entries were deleted: the chain ends at "
            f"entry {check.last_id}."
        )
        walk.report("missing", text, check.last_id)
    else:
        text = f"The chain's end does not name its last entry, {check.last_id}."
        walk.report("missing", text, check.last_id)


def _astray(walk: Walk) -> tuple[list[Mark], list[Mark]]:
    """Returns the checkpoints that the chain does not agree with, earliest first.

    And those that it does agree with, but that are no longer in the table. Both without
    those that a checkpoint of the chain abandons: of those in files, one in a file, as the
    table is in the hands of its keeper.
    """
    given = [mark for mark in walk.marks if mark.length]
    digests = [mark.statement.digest for mark in given]
    known: set[str] = set()
    for first in range(0, len(digests), 500):
        some = Entry.objects.filter(digest__in=digests[first : first + 500])
        known.update(some.values_list("digest", flat=True))
    agreeing = [mark for mark in given if mark.statement.digest in known]
    by_any = {one for mark in agreeing for one in mark.statement.abandons}
    by_file = {
        one for mark in agreeing if mark.files for one in mark.statement.abandons
    }
    left = [
        mark
        for mark in given
        if mark.statement.id not in (by_file if mark.files else by_any)
    ]
    astray = [mark for mark in left if mark.statement.digest not in known]
    removed = [
        mark for mark in left if mark.statement.digest in known and not mark.in_table
    ]
    return sorted(astray, key=_moment), sorted(removed, key=_moment)


def _named(walk: Walk, astray: Sequence[Mark]) -> tuple[str, str]:
    """Returns the kind and the sentence of what contradicts the checkpoints."""
    check, first, more = walk.check, _first(astray), _more(astray)
    is_within = any(mark.length <= check.position for mark in astray)
    latest_lost = max(mark.at for mark in astray)
    # A restored table lacks the checkpoints after the backup. One that has others from
    # that time was signed again.
    kept_since = min(
        (mark.at for mark in walk.marks if mark.files), default=latest_lost
    )
    signed_again = any(
        mark.in_table and not mark.files and kept_since <= mark.at <= latest_lost
        for mark in walk.marks
    )
    if any(mark.in_table for mark in astray):
        if is_within:
            return "rewritten", (
                f"The chain was rewritten with digests that fit: {first} proves other "
                f"entries.{more}"
            )
        lost = max(mark.length for mark in astray) - check.position
        return "missing", (
            f"{lost} {'entry' if lost == 1 else 'entries'} at the end were deleted: "
            f"{first} proves more.{more}"
        )
    if signed_again or (is_within and not check.proved):
        return "rewritten", (
            f"The chain was rewritten with digests that fit, and the checkpoints in the "
            f"table were replaced: {first} proves other entries.{more}"
        )
    since = (
        f"{check.proved_at:%-d %B %Y, %H:%M} UTC" if check.proved_at else "the start"
    )
    if not is_within:
        return "restored", (
            f"An older backup was restored: the chain and its checkpoints are those of "
            f"{since}, and {first} proves entries that are gone.{more}"
        )
    return "restored", (
        f"An older backup was restored and the service went on, or everything after "
        f"{since} was replaced: {first} proves other entries.{more}"
    )


def _verify_time_stamps(walk: Walk) -> None:
    if not settings.POSTERN.audit_tsa_ca_file:
        return
    for mark in walk.marks:
        if mark.statement.time_stamp:
            try:
                check_time_stamp(mark.statement)
            except TimeStampError as error:
                walk.report("forged", f"{capfirst(str(mark))}: {error}")


def _moment(mark: Mark) -> tuple[datetime, int]:
    return mark.at, mark.length


def _first(marks: Sequence[Mark]) -> str:
    return str(marks[0])


def _more(marks: Sequence[Mark]) -> str:
    more = len(marks) - 1
    return f" So {'does' if more == 1 else 'do'} {more} more." if more else ""


def described(problems: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yields the sentence of each problem."""
    for _, text, _ in problems:
        yield str(text)
