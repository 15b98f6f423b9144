"""Monitors a process beside its work: heartbeat, probes, metrics, alarms.

In threads, so that a hanging event loop or job is noticed; and in one thread for each
task, so that a database or a scanner that does not answer delays nothing else.
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
from engine.encryption import key_checks
from engine.health import leader_lease
from engine.health.alarms import notification_mail
from engine.health.alarms.database_outage import OutageAlarms
from engine.health.checks import dependency_probes, host_state, process_heartbeats
from engine.health.checks.findings import Finding
from engine.health.checks.host_state import Facts
from engine.health.evaluation import HOST_RULES, Evaluator
from engine.health.event_loop_lag import LoopLag
from engine.health.metrics import exposition
from engine.health.process_identity import Identity
from engine.observability import metrics
from engine.registry.credentials.sign_in_tally import tally

log = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
PROBE_SECONDS = 10.0
NOTIFY_SECONDS = 2.0
REFRESH_SECONDS = 60.0
# After so long without an answer, the database is down, and each host evaluates itself.
OUTAGE_SECONDS = 20.0
# After so long without an answer, this process has missed heartbeats of others.
GAP_SECONDS = 15.0
STOP_SECONDS = 3.0  # less than a supervisor waits
CONNECT_SECONDS, STATEMENT_MS = 5, 10_000


class ProcessMonitor:
    """The monitoring threads of one process. Call `start` and `stop` once each."""

    def __init__(self, kind: str, loop_lag: LoopLag | None = None) -> None:
        self.me = Identity(kind)
        self._loop_lag = loop_lag
        self._parent = os.getppid()
        self._stopping = threading.Event()
        self._probes = dependency_probes.DependencyProbes()
        self._evaluator = Evaluator(str(self.me))
        self._outage_alarms = OutageAlarms(self.me.host)
        self._refreshed_at: float | None = None
        self._coverage_fault = ""
        self._key_fault: str | None = None
        self._row_id: int | None = None
        self._clock_ahead = 0.0
        # By the monotonic clock: the last answer of the database, and the first of those
        # that followed each other without a gap.
        self._answered_at = self._connected_since = time.monotonic()
        self._threads = [
            self._thread(self._publish_metrics, ROUND_SECONDS),
            self._thread(self._probes.run, PROBE_SECONDS),
            self._thread(self._try_keys, REFRESH_SECONDS, uses_database=True),
            self._thread(self._beat, ROUND_SECONDS, uses_database=True),
            self._thread(self._send_notifications, NOTIFY_SECONDS, uses_database=True),
            self._thread(tally.flush_if_due, ROUND_SECONDS, uses_database=True),
        ]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads and records that the process ends in order.

        If its parent was killed, the end of this process is no orderly one: nothing is
        recorded, so that it is missed.
        """
        self._stopping.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        exposition.withdraw(self.me)
        _flush_tally()
        if os.getppid() == self._parent:
            self._record_stop()

    def _thread(
        self, work: Callable[[], None], every: float, *, uses_database: bool = False
    ) -> threading.Thread:
        def run() -> None:
            if uses_database:
                _open_own_connection()
            while not self._stopping.is_set():
                try:
                    work()
                except DatabaseError:
                    log.warning(
                        "the database did not answer the monitor", exc_info=True
                    )
                    connection.close()
                except Exception:
                    log.exception("the monitor failed, and tries again")
                self._stopping.wait(every)
            if uses_database:
                connection.close()

        name = f"monitor {work.__name__}"
        return threading.Thread(target=run, name=name, daemon=True)

    def _publish_metrics(self) -> None:
        if self._loop_lag is not None:
            metrics.LOOP_LAG.set(self._loop_lag.seconds())
        exposition.write(self.me)

    def _facts(self) -> Facts:
        facts: Facts = {**self._probes.facts, "clock": self._clock_ahead}
        try:
            facts.update(host_state.disk())
            facts["counts_in"] = host_state.counter_folder()
            facts.update(host_state.blob_stores())
        except OSError:
            # A broken disk must stop neither heartbeats nor alarms.
            log.warning("the disk of POSTERN_VAR cannot be read", exc_info=True)
            facts["unknown"] = [*facts.get("unknown", []), "disk"]
        if self._coverage_fault:
            fault = facts.get("scanner_doubt", "")
            facts["scanner_doubt"] = f"{self._coverage_fault} {fault}".rstrip()
        if self._key_fault is None:
            facts["unknown"] = [*facts.get("unknown", []), "master_key"]
        elif self._key_fault:
            facts["master_key_fault"] = self._key_fault
        if self._loop_lag is not None:
            facts["loop_lag"] = round(self._loop_lag.seconds(), 3)
        return facts

    def _try_keys(self) -> None:
        """Tries the master key, in a thread of its own: a KMS may take its time."""
        close_old_connections()
        self._key_fault = key_checks.trial()

    def _beat(self) -> None:
        """Writes the heartbeat, and evaluates the service if this process is the leader."""
        close_old_connections()
        before = timezone.now()
        now = clock.now()
        # Adding zero turns -0.0, which would be shown as such, into 0.0.
        self._clock_ahead = round((before - now).total_seconds(), 1) + 0.0
        self._row_id = process_heartbeats.beat(
            self.me, self._row_id, self._facts(), now
        )
        self._note_answer()
        self._refresh_each_minute()
        self._outage_alarms.move_to_database()
        self._evaluator.run_round(now, self._answered_at - self._connected_since)

    def _refresh_each_minute(self) -> None:
        """Reads what an outage of the database would hide, and the scanners' coverage."""
        now = time.monotonic()
        if self._refreshed_at is None or now - self._refreshed_at >= REFRESH_SECONDS:
            notification_mail.cache_recipients()
            self._coverage_fault = dependency_probes.coverage_fault()
            self._refreshed_at = now

    def _note_answer(self) -> None:
        now = time.monotonic()
        if now - self._answered_at > GAP_SECONDS:
            self._connected_since = now
        self._answered_at = now

    def _send_notifications(self) -> None:
        if time.monotonic() - self._answered_at > OUTAGE_SECONDS:
            self._evaluate_host()
        elif self._evaluator.is_leader:
            close_old_connections()
            self._evaluator.send_notifications(clock.now())

    def _evaluate_host(self) -> None:
        """Evaluates this host by itself, during an outage of the database."""
        now = timezone.now()
        facts = self._facts()
        # Without the database's clock nothing says which clock is wrong.
        facts.pop("clock", None)
        detail = f"It has not answered for more than {OUTAGE_SECONDS:.0f} seconds."
        findings = [
            Finding("database", self.me.host, detail),
            *host_state.findings(self.me.host, facts, now),
        ]
        self._outage_alarms.evaluate(
            findings,
            now,
            checked={"database", *HOST_RULES} - {"clock", "event_loop"},
            unknown=list(host_state.unknown(self.me.host, [facts])),
        )

    def _record_stop(self) -> None:
        if self._row_id is None:
            return
        try:
            process_heartbeats.record_stop(self._row_id, clock.now())
            leader_lease.release(str(self.me))
        except DatabaseError:
            log.warning(
                "the end of this process could not be recorded, as the database does "
                "not answer; expect an alarm that it ended unexpectedly"
            )
        finally:
            connection.close()


def _flush_tally() -> None:
    try:
        tally.flush()
    except DatabaseError:
        log.warning("the last counts of sign-ins could not be written", exc_info=True)
    finally:
        connection.close()


@contextmanager
def monitored(kind: str) -> Iterator[None]:
    """Monitors a process without an event loop while the block runs."""
    monitor = ProcessMonitor(kind)
    monitor.start()
    try:
        yield
    finally:
        monitor.stop()


@asynccontextmanager
async def monitored_loop(kind: str) -> AsyncIterator[None]:
    """Monitors a process with an event loop, and the loop's lag, while the block runs."""
    loop_lag = LoopLag()
    ticking = asyncio.create_task(loop_lag.run())
    monitor = ProcessMonitor(kind, loop_lag)
    monitor.start()
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.to_thread(monitor.stop)


def _open_own_connection() -> None:
    """Gives this thread a connection with short time-outs, so that an outage is noticed."""
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
