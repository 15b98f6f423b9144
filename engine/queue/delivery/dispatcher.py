"""One attempt from end to end: by the right way out, then into the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, repeat

from django.db import InterfaceError, OperationalError

from engine.mail.errors import PermanentFailure
from engine.queue.delivery import claim, local_attempts, outcome_recording
from engine.queue.delivery.concurrency import Lanes
from engine.queue.delivery.suspension import NOWHERE
from engine.queue.notifications import pending_notices
from engine.queue.notifications.notice_routing import OUTSIDE
from engine.routing.routes import RouteKind
from engine.threads import DatabaseThreads
from engine.transport import connection_errors
from engine.transport.parcel import (
    Cause,
    Outcome,
    OutcomeState,
    Parcel,
    Transport,
    answer,
)

log = logging.getLogger(__name__)

# What was sent must be written down, or it is sent again: seconds between tries.
SETTLE_PAUSES = (0.2, 1.0, 5.0)


class Dispatcher:
    """Attempts parcels for one runner. It raises nothing: whatever goes wrong is logged,
    and the parcel comes back when its lease and its delay are over."""

    def __init__(
        self,
        runner: str,
        database: DatabaseThreads,
        lanes: Lanes,
        *,
        relay: Transport,
        outside: Transport,
    ) -> None:
        self._runner = runner
        self._database = database
        self._lanes = lanes
        self._transports = {RouteKind.CONNECTION.value: relay, OUTSIDE: outside}
        self._unreachable: set[str] = set()
        self._answers = asyncio.Event()

    def wake(self) -> None:
        """The database answers again: write down at once what waits for it."""
        woken, self._answers = self._answers, asyncio.Event()
        woken.set()

    async def deliver_here(self, parcels: Sequence[Parcel]) -> None:
        """Into mailboxes, all in one transaction; one by one when one spoils it."""
        try:
            asked = await self._database.run(
                local_attempts.deliver_here, self._runner, parcels
            )
        except Exception:
            log.exception("%d parcels were not delivered together", len(parcels))
            for parcel in parcels:
                await self.deliver(parcel)
        else:
            await self._report(asked)

    async def deliver(self, parcel: Parcel) -> None:
        """Attempt one parcel, whatever its destination, and settle it."""
        try:
            await self._attempt(parcel)
        except PermanentFailure as refusal:
            await self._settle(answer(parcel, OutcomeState.FAILED, refusal.reply))
        except Exception:
            log.exception("%s to %s failed", parcel.reference, parcel.destination)
            await self._settle(local_attempts.put_off(parcel))

    async def _attempt(self, parcel: Parcel) -> None:
        kind = parcel.destination.partition(":")[0]
        if kind in self._transports:
            outcomes = await self._transports[kind].deliver(parcel)
            self._lanes.note(parcel.destination, outcomes)
            await self._settle(outcomes)
            await self._note_reach(parcel.destination, outcomes)
        elif kind == NOWHERE:
            await self._settle(await self._database.run(local_attempts.refuse, parcel))
        else:
            work = _HERE.get(kind, _deliver_one)
            await self._report(await self._database.run(work, self._runner, parcel))

    async def _settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write down what came of an attempt, however long that takes.

        What was sent and not written down is sent again, so this raises nothing. Our
        lease is renewed meanwhile, and stopping the runner cancels this.
        """
        write = outcome_recording.settle
        for pause in chain(SETTLE_PAUSES, repeat(SETTLE_PAUSES[-1])):
            answers = self._answers
            try:
                asked = await self._database.run(write, self._runner, outcomes)
            except (OperationalError, InterfaceError):
                log.exception("the database does not take the outcome of an attempt")
            except Exception:
                log.exception("the outcome of an attempt could not be written in full")
                write = outcome_recording.settle_states
            else:
                return await self._report(asked)
            with suppress(TimeoutError):
                await asyncio.wait_for(answers.wait(), pause)

    async def _report(self, asked: Sequence[int]) -> None:
        """Send the notices of what is written down. Failing, they are sent by a sweep."""
        if not asked:
            return
        try:
            await self._database.run(pending_notices.send, asked)
        except Exception:
            log.exception("%d notices wait for the next sweep", len(asked))

    async def _note_reach(self, destination: str, outcomes: Sequence[Outcome]) -> None:
        """Once a hop is back, its mail does not wait for the rest of the backoff."""
        if any(outcome.cause is not Cause.REPLY for outcome in outcomes):
            self._unreachable.add(destination)
        elif destination in self._unreachable:
            self._unreachable.discard(destination)
            await self._database.run(claim.hurry, destination, connection_errors.ALL)


def _deliver_one(runner: str, parcel: Parcel) -> list[int]:
    return local_attempts.deliver_here(runner, [parcel])


# Destinations of which an attempt needs no network.
_HERE = {
    RouteKind.LIST.value: local_attempts.expand,
    RouteKind.BOUNCES.value: local_attempts.collect,
}
