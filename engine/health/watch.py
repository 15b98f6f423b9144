"""Runs beside the work of each process: its heartbeat, its look around, and alarms.

In threads, so that a loop or a job that hangs is seen from outside, and each in one of
its own, so that a database or a scanner that does not answer holds up nothing else.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from django.db import DatabaseError, close_old_connections, connection, connections
from django.utils import timezone

from engine.database import clock
from engine.health import duty, exposition, hosts, letters, probes, processes
from engine.health.alone import Alone
from engine.health.evaluation import OF_HOSTS, Evaluator
from engine.health.hosts import Facts
from engine.health.identity import Identity
from engine.health.pulse import Pulse
from engine.health.situation import Finding
from engine.observability import metrics

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds between two rounds
PROBE_EVERY = 10.0
LETTER_EVERY = 2.0
ASK_EVERY = 60.0
# Silent for so long, the database is away: alarms are then each host's own.
AWAY = 20.0
# Between two rounds that heard it; after longer, this process has missed what others did.
GAP = 15.0
FAREWELL = 3.0  # less than a supervisor waits
CONNECT_SECONDS, STATEMENT_MS = 5, 10_000


class Watch:
    """What one process does for the watch. `start` and `stop` it once."""

    def __init__(self, kind: str, pulse: Pulse | None = None) -> None:
        self.me = Identity(kind)
        self._pulse = pulse
        self._parent = os.getppid()
        self._stopping = threading.Event()
        self._probes = probes.Probes()
        self._evaluator = Evaluator(str(self.me))
        self._alone = Alone(self.me.host)
        self._asked: float | None = None
        self._doubt = ""
        self._row: int | None = None
        self._ahead = 0.0
        # By the monotonic clock: when the database was heard last, and since when always.
        self._heard = self._contact = time.monotonic()
        self._threads = [
            self._thread(self._look_around, EVERY),
            self._thread(self._probes.round, PROBE_EVERY),
            self._thread(self._beat, EVERY, uses_database=True),
            self._thread(self._send_letters, LETTER_EVERY, uses_database=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads and say goodbye, unless this process ends because the one that
        started it was killed: then it is missed."""
        self._stopping.set()
        until = time.monotonic() + FAREWELL
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        exposition.withdraw(self.me)
        if os.getppid() == self._parent:
            self._say_goodbye()

    def _thread(
        self, work: Callable[[], None], every: float, *, uses_database: bool = False
    ) -> threading.Thread:
        def run() -> None:
            if uses_database:
                _take_own_connection()
            while not self._stopping.is_set():
                try:
                    work()
                except DatabaseError:
                    log.warning("the database did not answer the watch", exc_info=True)
                    connection.close()
                except Exception:
                    log.exception("the watch failed")
                self._stopping.wait(every)
            if uses_database:
                connection.close()

        return threading.Thread(target=run, name=f"watch {work.__name__}", daemon=True)

    def _look_around(self) -> None:
        if self._pulse is not None:
            metrics.LOOP_LAG.set(self._pulse.lag())
        exposition.write(self.me)

    def _facts(self) -> Facts:
        facts: Facts = {**self._probes.facts, "clock": self._ahead}
        try:
            facts.update(hosts.disk())
            facts["counts_in"] = hosts.counts_in()
        except OSError:
            # A disk that is ill must silence neither heartbeats nor alarms.
            log.warning("this process cannot look at its disk", exc_info=True)
            facts["unknown"] = [*facts.get("unknown", []), "disk"]
        if self._doubt:
            seen = facts.get("scanner_doubt", "")
            facts["scanner_doubt"] = f"{self._doubt} {seen}".rstrip()
        if self._pulse is not None:
            facts["loop_lag"] = round(self._pulse.lag(), 3)
        return facts

    def _beat(self) -> None:
        """A round with the database: beat, and evaluate where that is our duty."""
        close_old_connections()
        before = timezone.now()
        now = clock.now()
        # Plus nought, for minus nought is nothing to show.
        self._ahead = round((before - now).total_seconds(), 1) + 0.0
        self._row = processes.beat(self.me, self._row, self._facts(), now)
        self._note_contact()
        self._ask_each_minute()
        self._alone.hand_back()
        self._evaluator.round(now, self._heard - self._contact)

    def _ask_each_minute(self) -> None:
        """Where the operators read, for when the database is away, and what the scanners
        were seen to open."""
        now = time.monotonic()
        if self._asked is None or now - self._asked >= ASK_EVERY:
            letters.remember()
            self._doubt = probes.proof_fault()
            self._asked = now

    def _note_contact(self) -> None:
        heard = time.monotonic()
        if heard - self._heard > GAP:
            self._contact = heard
        self._heard = heard

    def _send_letters(self) -> None:
        if time.monotonic() - self._heard > AWAY:
            self._look_alone()
        elif self._evaluator.has_duty:
            close_old_connections()
            self._evaluator.tell(clock.now())

    def _look_alone(self) -> None:
        """The database is away: what this host sees by itself."""
        now = timezone.now()
        facts = self._facts()
        facts.pop("clock", None)
        said = f"It has not answered for more than {AWAY:.0f} seconds."
        findings = [
            Finding("database", self.me.host, said),
            *hosts.faults(self.me.host, facts, now),
        ]
        self._alone.look(
            findings,
            now,
            looked={"database", *OF_HOSTS} - {"clock", "event_loop"},
            unknown=list(hosts.unknown(self.me.host, [facts])),
        )

    def _say_goodbye(self) -> None:
        if self._row is None:
            return
        try:
            processes.say_goodbye(self._row, clock.now())
            duty.leave(str(self.me))
        except DatabaseError:
            log.warning("this process ends, and the database did not hear of it")
        finally:
            connection.close()


@contextmanager
def watched(kind: str) -> Iterator[None]:
    """Watch a process that has no event loop, while the block runs."""
    watch = Watch(kind)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


@asynccontextmanager
async def watching(kind: str) -> AsyncIterator[None]:
    """The same on an event loop, whose lag is measured too."""
    pulse = Pulse()
    ticking = asyncio.create_task(pulse.run())
    watch = Watch(kind, pulse)
    watch.start()
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.to_thread(watch.stop)


def _take_own_connection() -> None:
    """Give this thread a connection that soon says when the database does not answer."""
    own = connections["default"].copy()
    own.settings_dict = copy.deepcopy(own.settings_dict)
    options = own.settings_dict.setdefault("OPTIONS", {})
    if own.vendor == "postgresql":
        options["connect_timeout"] = CONNECT_SECONDS
        limit = f"-c statement_timeout={STATEMENT_MS}"
        options["options"] = f"{options.get('options', '')} {limit}".lstrip()
    else:
        options["timeout"] = CONNECT_SECONDS
    connections["default"] = own
