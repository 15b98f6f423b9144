"""Runs the queue: claims what is due, starts deliveries, and keeps the leases alive."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from engine.database.threads import DatabaseThreads
from engine.queue.delivery import claim, maintenance
from engine.queue.delivery.concurrency import ConcurrencyLimits
from engine.queue.delivery.database_outage import Outage
from engine.queue.delivery.dispatcher import Dispatcher
from engine.queue.enqueue.accepted_message import MAILBOX
from engine.signing.keyring import Keyring
from engine.transport.parcel import Parcel
from engine.transport.relay import Relay
from engine.transport.session_pool import Pool
from engine.transport.smart_host import Outside

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
RENEW_SECONDS = 10.0
MAINTENANCE_SECONDS = 10.0
SHUTDOWN_SECONDS = 10.0


class Runner:
    """One worker on the queue. Any number of them may run, on any number of hosts."""

    def __init__(
        self, *, pool: Pool | None = None, database: DatabaseThreads | None = None
    ) -> None:
        self.name = f"{socket.gethostname()[:16]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._pool = pool or Pool()
        self._database = database or DatabaseThreads("queue", count=_threads())
        # Leases are renewed on a connection of their own, so that a long statement
        # elsewhere does not let them run out under deliveries in progress.
        self._leases = database or DatabaseThreads("leases", count=1)
        self._outage = Outage()
        self._keyring = Keyring()
        self._limits = ConcurrencyLimits(down_seconds=self._pool.down_seconds)
        self._dispatcher = Dispatcher(
            self.name,
            self._database,
            self._limits,
            relay=Relay(self._pool, self._keyring),
            outside=Outside(self._pool, self._keyring),
        )
        self._woken = asyncio.Event()
        self._in_flight: dict[asyncio.Task[None], Sequence[Parcel]] = {}

    def wake(self) -> None:
        """Makes the runner look for due mail immediately. Call it on the event loop."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then gives deliveries in progress time to finish."""
        # Before anything is handed on, which would be unsigned.
        await self._refresh_keys()
        background = [
            asyncio.create_task(self._renew_leases()),
            asyncio.create_task(self._run_maintenance()),
        ]
        try:
            while not stop.is_set():
                if not await self._claim_and_start():
                    await self._wait_for_work(stop)
        finally:
            for task in background:
                task.cancel()
            await self.close()

    async def run_once(self) -> int:
        """Runs maintenance, claims once, finishes what it claimed; returns the number of
        parcels."""
        await self._database.run(maintenance.run_due)
        await self._refresh_keys()
        parcels = await self._claim()
        self._start(parcels)
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        return len(parcels)

    async def close(self) -> None:
        """Waits up to SHUTDOWN_SECONDS for deliveries in progress; gives back the rest."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=SHUTDOWN_SECONDS)
        unfinished = list(self._in_flight)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await self._dispatcher.close()
        await self._pool.close()
        with suppress(DatabaseError):  # the leases would run out by themselves
            await self._database.run(claim.release_leases, self.name)
        await self._database.close()
        if self._leases is not self._database:
            await self._leases.close()

    async def _claim_and_start(self) -> bool:
        """Starts what is due; returns whether there may be more."""
        try:
            parcels = await self._claim()
        except (OperationalError, InterfaceError):
            self._outage.begin()
            log.exception("the database does not say what is due")
            return False
        except Exception:
            log.exception("nothing could be claimed")
            return False
        self._start(parcels)
        return bool(parcels)

    async def _claim(self) -> list[Parcel]:
        if self._outage.is_on:
            # The database answers again. Our own leases come first: they could not be
            # renewed meanwhile, and claiming them again would send their mail twice.
            await self._database.run(claim.renew_leases, self.name, self._held())
            self._dispatcher.retry_recording()
        parcels = await self._database.run(
            claim.claim,
            self.name,
            self._limits.capacity(),
            held=frozenset(self._held()),
            lease_cutoff=self._outage.lease_cutoff(),
        )
        self._outage.end()
        return parcels

    def _start(self, parcels: Sequence[Parcel]) -> None:
        local = [parcel for parcel in parcels if parcel.destination == MAILBOX]
        if local:
            self._track(self._dispatcher.deliver_to_mailboxes(local), local)
        for parcel in parcels:
            if parcel.destination != MAILBOX:
                self._track(self._dispatcher.deliver(parcel), [parcel])

    def _track(
        self, work: Coroutine[Any, Any, None], parcels: Sequence[Parcel]
    ) -> None:
        task = asyncio.create_task(work)
        self._in_flight[task] = parcels
        for parcel in parcels:
            self._limits.start(parcel)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        for parcel in self._in_flight.pop(task):
            self._limits.finish(parcel)
        self.wake()  # a place became free

    async def _wait_for_work(self, stop: asyncio.Event) -> None:
        """Waits for a wake-up, for the end, or for the next poll."""
        waits = [
            asyncio.create_task(self._woken.wait()),
            asyncio.create_task(stop.wait()),
        ]
        await asyncio.wait(
            waits, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for wait in waits:
            wait.cancel()
        self._woken.clear()

    async def _renew_leases(self) -> None:
        """Renews the leases of deliveries in progress, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._leases.run(claim.renew_leases, self.name, self._held())
            except Exception:
                log.exception("leases could not be renewed")

    async def _run_maintenance(self) -> None:
        """Runs the queue's maintenance every MAINTENANCE_SECONDS, until cancelled."""
        while True:
            await asyncio.sleep(MAINTENANCE_SECONDS)
            await self._refresh_keys()
            if self._outage.lease_cutoff():
                # Maintenance treats an expired lease as free, too: after an outage the
                # holder gets time to renew it first.
                continue
            try:
                await self._database.run(maintenance.run_due)
                await self._database.run(
                    maintenance.notify_of_distrust, self._limits.distrusted()
                )
            except Exception:
                log.exception("the queue's maintenance failed")

    async def _refresh_keys(self) -> None:
        """Reads the keys that sign mail, where that is due; the known ones do meanwhile."""
        try:
            await self._database.run(self._keyring.refresh)
        except Exception:
            log.exception("the keys that sign mail could not be read")

    def _held(self) -> list[int]:
        return [
            recipient.id
            for parcels in self._in_flight.values()
            for parcel in parcels
            for recipient in parcel.recipients
        ]


def _threads() -> int:
    # SQLite allows one writer at a time, so more threads would only wait for each other.
    return 1 if connection.vendor == "sqlite" else 3
