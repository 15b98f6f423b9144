"""Alarms of one host while the database is away, kept in a file of its own.

One process of the host evaluates, the one that holds the lock, and each host sends its
own mail. When the database is back, what was raised is taken over into the table, where
the alarms end, and are told to have ended, as all others do.
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from smtplib import SMTPException

from engine import state
from engine.health import alarms, letters
from engine.health.models import Alarm
from engine.health.situation import Finding, Unknown

log = logging.getLogger(__name__)

LOCK, FILE = "alone.lock", "alone.json"


def look(
    findings: Sequence[Finding],
    now: datetime,
    *,
    looked: Collection[str],
    unknown: Collection[Unknown] = (),
) -> None:
    """Take a look's findings into the file, and send what is to be told."""
    with _alone() as is_ours:
        if not is_ours:
            return
        known = _read()
        changed = alarms.step(known, findings, now, looked=looked, unknown=unknown)
        everyone = [*known, *(one for one in changed if one not in known)]
        _write(everyone)
        waiting = [one for one in everyone if one.is_to_tell]
        if waiting and _send(waiting):
            for alarm in waiting:
                alarm.tell(now)
            _write(everyone)


def hand_back() -> None:
    """Give what was raised to the database, which answers again. Raises DatabaseError."""
    path = state.folder("health") / FILE
    if not path.exists():
        return
    with _alone() as is_ours:
        if is_ours and path.exists():
            alarms.adopt(_read())
            path.unlink()


def _send(waiting: Sequence[Alarm]) -> bool:
    try:
        letters.send(waiting)
    except (OSError, SMTPException):
        log.exception("an alarm could not be sent, and is sent again")
        return False
    return True


@contextmanager
def _alone() -> Iterator[bool]:
    """Hold the host's lock; False where another process holds it."""
    path = state.folder("health") / LOCK
    with open(path, "ab", opener=state.private) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _read() -> list[Alarm]:
    path = state.folder("health") / FILE
    try:
        return [Alarm.from_json(one) for one in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        log.exception("%s cannot be read, and begins again", path)
        return []


def _write(everyone: Sequence[Alarm]) -> None:
    path = state.folder("health") / FILE
    state.replace(path, json.dumps([one.to_json() for one in everyone]).encode())
