"""The queue at work: claim what is due, have it delivered, keep the leases alive."""

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

from engine.queue.delivery import claim, maintenance
from engine.queue.delivery.concurrency import Lanes
from engine.queue.delivery.database_outage import Outage
from engine.queue.delivery.dispatcher import Dispatcher
from engine.queue.enqueue.accepted_message import MAILBOX
from engine.threads import DatabaseThreads
from engine.transport.parcel import Parcel
from engine.transport.relay import Relay
from engine.transport.session_pool import Pool
from engine.transport.smart_host import Outside

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
RENEW_SECONDS = 10.0
SWEEP_SECONDS = 10.0
FAREWELL_SECONDS = 10.0


class Runner:
    """One worker on the queue. Any number of them, on any number of hosts, is harmless."""

    def __init__(
        self, *, pool: Pool | None = None, database: DatabaseThreads | None = None
    ) -> None:
        self.name = f"{socket.gethostname()[:16]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._pool = pool or Pool()
        self._database = database or DatabaseThreads("queue", count=_threads())
        # Of their own: whatever else takes long, what is under way stays ours.
        self._leases = database or DatabaseThreads("leases", count=1)
        self._outage = Outage()
        self._lanes = Lanes(down_seconds=self._pool.down_seconds)
        self._dispatcher = Dispatcher(
            self.name,
            self._database,
            self._lanes,
            relay=Relay(self._pool),
            outside=Outside(self._pool),
        )
        self._woken = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], Sequence[Parcel]] = {}

    def wake(self) -> None:
        """Something was queued: look at once. Call it on the event loop."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then let what is under way finish, for a while."""
        housekeeping = [
            asyncio.create_task(self._keep_leases()),
            asyncio.create_task(self._keep_house()),
        ]
        try:
            while not stop.is_set():
                if not await self._claim():
                    await self._rest(stop)
        finally:
            for task in housekeeping:
                task.cancel()
            await self.close()

    async def run_once(self) -> int:
        """Sweep, claim once and finish it; return how many parcels there were."""
        await self._database.run(maintenance.sweep)
        parcels = await self._claimed()
        self._start(parcels)
        if self._under_way:
            await asyncio.wait(self._under_way)
        return len(parcels)

    async def close(self) -> None:
        """Wait a little for what is under way, and give back the rest."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=FAREWELL_SECONDS)
        unfinished = list(self._under_way)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await self._pool.close()
        with suppress(DatabaseError):  # the leases would run out by themselves
            await self._database.run(claim.give_back, self.name)
        await self._database.close()
        if self._leases is not self._database:
            await self._leases.close()

    async def _claim(self) -> bool:
        """Start what is due; True when there may be more."""
        try:
            parcels = await self._claimed()
        except (OperationalError, InterfaceError):
            self._outage.begin()
            log.exception("the database does not say what is due")
            return False
        except Exception:
            log.exception("nothing could be claimed")
            return False
        self._start(parcels)
        return bool(parcels)

    async def _claimed(self) -> list[Parcel]:
        if self._outage.is_on:
            # First what we hold: nobody could renew its leases meanwhile.
            await self._database.run(claim.renew, self.name, self._held())
            self._dispatcher.wake()
        parcels = await self._database.run(
            claim.claim,
            self.name,
            self._lanes.room(),
            held=frozenset(self._held()),
            lapsed=self._outage.lapsed(),
        )
        self._outage.answered()
        return parcels

    def _start(self, parcels: Sequence[Parcel]) -> None:
        here = [parcel for parcel in parcels if parcel.destination == MAILBOX]
        if here:
            self._watch(self._dispatcher.deliver_here(here), here)
        for parcel in parcels:
            if parcel.destination != MAILBOX:
                self._watch(self._dispatcher.deliver(parcel), [parcel])

    def _watch(
        self, work: Coroutine[Any, Any, None], parcels: Sequence[Parcel]
    ) -> None:
        task = asyncio.create_task(work)
        self._under_way[task] = parcels
        for parcel in parcels:
            self._lanes.start(parcel)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        for parcel in self._under_way.pop(task):
            self._lanes.finish(parcel)
        self.wake()  # there is room again

    async def _rest(self, stop: asyncio.Event) -> None:
        """Wait for a wake-up, for the end, or for the next poll."""
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

    async def _keep_leases(self) -> None:
        """Renew the leases of what is under way, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._leases.run(claim.renew, self.name, self._held())
            except Exception:
                log.exception("leases could not be renewed")

    async def _keep_house(self) -> None:
        """Do what is due by the clock, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if self._outage.lapsed():
                continue  # sweeps go by leases too
            try:
                await self._database.run(maintenance.sweep)
                await self._database.run(
                    maintenance.give_up_on_tls, self._lanes.distrusted()
                )
            except Exception:
                log.exception("the queue's housekeeping failed")

    def _held(self) -> list[int]:
        return [
            recipient.id
            for parcels in self._under_way.values()
            for parcel in parcels
            for recipient in parcel.recipients
        ]


def _threads() -> int:
    """SQLite has one writer at a time whatever we do."""
    return 1 if connection.vendor == "sqlite" else 3
