"""Alarms of one host while the database is away, kept in a file of its own.

One process of the host evaluates, the one that holds the lock, and each host sends its
own mail. When the database is back, what was raised is taken over into the table, where
the alarms end, and are told to have ended, as all others do.

The disk may be what is ill: mail goes first, and what cannot be written stays in memory,
with the lock, so that no other process of the host sends it again.
"""

from __future__ import annotations

import fcntl
import json
import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from smtplib import SMTPException
from typing import IO

from django.conf import settings

from engine.health import alarms, letters
from engine.health.models import Alarm
from engine.health.situation import Finding, Unknown
from engine.secrets import state_folder

log = logging.getLogger(__name__)


class Alone:
    """What one process does for its host meanwhile. Hosts may share POSTERN_VAR."""

    def __init__(self, host: str) -> None:
        self._name = f"alone-{host}"
        self._pause = letters.Pause()
        # One thread looks, and another hands back.
        self._turn = threading.Lock()
        self._lock: IO[bytes] | None = None
        self._unwritten: list[Alarm] | None = None

    @property
    def path(self) -> Path:
        """The host's file, which may not be there."""
        return settings.POSTERN.path("health", f"{self._name}.json")

    def look(
        self,
        findings: Sequence[Finding],
        now: datetime,
        *,
        looked: Collection[str],
        unknown: Collection[Unknown] = (),
    ) -> None:
        """Send what is to be told of a look's findings, and keep them."""
        with self._locked() as is_ours:
            if not is_ours:
                return
            known = self._read()
            changed = alarms.step(known, findings, now, looked=looked, unknown=unknown)
            everyone = [*known, *(one for one in changed if one not in known)]
            waiting = [one for one in everyone if one.is_to_tell]
            if waiting and self._pause.is_over(now) and self._send(waiting, now):
                for alarm in waiting:
                    alarm.tell(now)
            self._write(everyone)

    def hand_back(self) -> None:
        """Give what was raised to the database, which answers again. Raises DatabaseError."""
        if self._unwritten is None and not self.path.exists():
            return
        with self._locked() as is_ours:
            if is_ours:
                alarms.adopt(self._read())
                self.path.unlink(missing_ok=True)
                self._unwritten = None

    def _send(self, waiting: Sequence[Alarm], now: datetime) -> bool:
        try:
            letters.send(waiting)
        except (OSError, SMTPException) as error:
            log.error("alarms could not be sent, and are sent again: %s", error)
            self._pause.failed(now)
            return False
        self._pause.ended()
        return True

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the host's lock; False where another process or thread holds it."""
        if not self._turn.acquire(blocking=False):
            yield False
            return
        try:
            yield self._take_lock()
        finally:
            if self._lock is not None and self._unwritten is None:
                self._lock.close()
                self._lock = None
            self._turn.release()

    def _take_lock(self) -> bool:
        if self._lock is not None:
            return True
        try:
            path = state_folder.subfolder("health") / f"{self._name}.lock"
            file = open(path, "ab", opener=state_folder.private_opener)  # noqa: SIM115 - held on to
        except OSError as error:
            # Better that each process sends a mail than that none does.
            log.warning("alarms are raised without a lock: %s", error)
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        return True

    def _read(self) -> list[Alarm]:
        if self._unwritten is not None:
            return self._unwritten
        try:
            return [Alarm.from_json(one) for one in json.loads(self.path.read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError):
            log.exception("%s cannot be read, and begins again", self.path)
            return []

    def _write(self, everyone: list[Alarm]) -> None:
        content = json.dumps([one.to_json() for one in everyone]).encode()
        try:
            state_folder.write_atomically(
                state_folder.subfolder("health") / self.path.name, content
            )
        except OSError as error:
            if self._unwritten is None:
                log.error("alarms are kept in memory: %s", error)
            self._unwritten = everyone
        else:
            self._unwritten = None
