"""Alarms of one host during an outage of the database, kept in a file on its disk.

One process of the host, the one that holds a file lock, evaluates and sends mail; each
host does so by itself. Once the database is back, the alarms are moved to its table,
where they end like all others.

The disk may be what is broken. So mail is sent before the file is written; if that fails,
the alarms stay in memory and the lock is kept, so that no other process of the host sends
the same mail.
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

from engine.health.alarms import alarm_lifecycle, notification_mail
from engine.health.checks.findings import Finding, Unknown
from engine.health.models import Alarm
from engine.secrets import state_folder

log = logging.getLogger(__name__)


class OutageAlarms:
    """The alarms of a host during an outage, as one of its processes handles them.

    File names contain the host, because hosts may share POSTERN_VAR.
    """

    def __init__(self, host: str) -> None:
        self._name = f"alone-{host}"
        self._delay = notification_mail.RetryDelay()
        # One thread evaluates, and another moves alarms to the database.
        self._thread_lock = threading.Lock()
        self._file_lock: IO[bytes] | None = None
        self._unwritten: list[Alarm] | None = None

    @property
    def path(self) -> Path:
        """The file of the host's alarms; it exists during an outage only."""
        return settings.POSTERN.path("health", f"{self._name}.json")

    def evaluate(
        self,
        findings: Sequence[Finding],
        now: datetime,
        *,
        checked: Collection[str],
        unknown: Collection[Unknown] = (),
    ) -> None:
        """Updates the alarms by a round's findings, notifies operators, and saves them.

        Does nothing while another process of the host holds the lock.
        """
        with self._locked() as is_ours:
            if not is_ours:
                return
            known = self._read()
            changed = alarm_lifecycle.apply_findings(
                known, findings, now, checked=checked, unknown=unknown
            )
            alarms = [*known, *(one for one in changed if one not in known)]
            waiting = [one for one in alarms if one.needs_notification]
            if waiting and self._delay.is_over(now) and self._send(waiting, now):
                for alarm in waiting:
                    alarm.mark_notified(now)
            self._write(alarms)

    def move_to_database(self) -> None:
        """Moves the alarms to the database, which answers again. Raises DatabaseError."""
        if self._unwritten is None and not self.path.exists():
            return
        with self._locked() as is_ours:
            if is_ours:
                alarm_lifecycle.adopt(self._read())
                self.path.unlink(missing_ok=True)
                self._unwritten = None

    def _send(self, waiting: Sequence[Alarm], now: datetime) -> bool:
        try:
            notification_mail.send(waiting)
        except (OSError, SMTPException) as error:
            log.error(
                "a mail about alarms could not be sent, and is retried: %s", error
            )
            self._delay.failed(now)
            return False
        self._delay.succeeded()
        return True

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Holds the host's lock; yields False if another process or thread holds it."""
        if not self._thread_lock.acquire(blocking=False):
            yield False
            return
        try:
            yield self._acquire_file_lock()
        finally:
            if self._file_lock is not None and self._unwritten is None:
                self._file_lock.close()
                self._file_lock = None
            self._thread_lock.release()

    def _acquire_file_lock(self) -> bool:
        if self._file_lock is not None:
            return True
        try:
            path = state_folder.subfolder("health") / f"{self._name}.lock"
            file = open(path, "ab", opener=state_folder.private_opener)  # noqa: SIM115 - held on to
        except OSError as error:
            # Better one mail from each process than none at all.
            log.warning("alarms are evaluated without a lock on the host: %s", error)
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file_lock = file
        return True

    def _read(self) -> list[Alarm]:
        if self._unwritten is not None:
            return self._unwritten
        try:
            return [Alarm.from_json(one) for one in json.loads(self.path.read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError):
            log.exception("%s cannot be read, and is replaced", self.path)
            return []

    def _write(self, alarms: list[Alarm]) -> None:
        content = json.dumps([one.to_json() for one in alarms]).encode()
        try:
            state_folder.write_atomically(
                state_folder.subfolder("health") / self.path.name, content
            )
        except OSError as error:
            if self._unwritten is None:
                log.error(
                    "alarms cannot be written to disk, and stay in memory: %s", error
                )
            self._unwritten = alarms
        else:
            self._unwritten = None
