"""Delivers parcels by the transport of their destination, and records the outcomes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, repeat

from django.db import InterfaceError, OperationalError

from engine.database.threads import DatabaseThreads
from engine.mail.errors import PermanentFailure
from engine.queue.delivery import claim, local_attempts, outcome_recording
from engine.queue.delivery.concurrency import ConcurrencyLimits
from engine.queue.delivery.group_recording import GroupRecorder
from engine.queue.delivery.suspension import NOWHERE
from engine.queue.notifications import pending_notices
from engine.queue.notifications.notice_routing import OUTSIDE
from engine.routing.routes import RouteKind
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

# Seconds between tries to record an outcome. There is no last try: what was sent and is
# not recorded would be sent again.
RECORD_PAUSES = (0.2, 1.0, 5.0)


class Dispatcher:
    """Attempts parcels for one runner.

    Raises nothing: failures are logged, and the parcel comes back when its lease and its
    delay are over.
    """

    def __init__(
        self,
        runner: str,
        database: DatabaseThreads,
        limits: ConcurrencyLimits,
        *,
        relay: Transport,
        outside: Transport,
    ) -> None:
        self._runner = runner
        self._database = database
        self._limits = limits
        self._transports = {RouteKind.CONNECTION.value: relay, OUTSIDE: outside}
        self._unreachable: set[str] = set()
        self._database_back = asyncio.Event()
        self._recorder = GroupRecorder(self._record_together)

    async def close(self) -> None:
        """Finishes recording outcomes."""
        await self._recorder.close()

    def retry_recording(self) -> None:
        """Records waiting outcomes immediately, because the database answers again."""
        woken, self._database_back = self._database_back, asyncio.Event()
        woken.set()

    async def deliver_to_mailboxes(self, parcels: Sequence[Parcel]) -> None:
        """Delivers to mailboxes in one transaction; one by one if that fails."""
        try:
            notices = await self._database.run(
                local_attempts.deliver_to_mailboxes, self._runner, parcels
            )
        except Exception:
            log.exception("%d parcels were not delivered together", len(parcels))
            for parcel in parcels:
                await self.deliver(parcel)
        else:
            await self._send_notices(notices)

    async def deliver(self, parcel: Parcel) -> None:
        """Attempts one parcel, whatever its destination, and records the outcome."""
        try:
            await self._attempt(parcel)
        except PermanentFailure as refusal:
            await self._record(answer(parcel, OutcomeState.FAILED, refusal.reply))
        except Exception:
            log.exception("%s to %s failed", parcel.reference, parcel.destination)
            await self._record(local_attempts.defer(parcel))

    async def _attempt(self, parcel: Parcel) -> None:
        kind = parcel.destination.partition(":")[0]
        if kind in self._transports:
            outcomes = await self._transports[kind].deliver(parcel)
            self._limits.note(parcel.destination, outcomes)
            await self._record_relayed(parcel, outcomes)
            await self._note_reachability(parcel.destination, outcomes)
        elif kind == NOWHERE:
            await self._record(
                await self._database.run(local_attempts.refuse_unknown, parcel)
            )
        else:
            attempt = _LOCAL_ATTEMPTS.get(kind, _deliver_one)
            await self._send_notices(
                await self._database.run(attempt, self._runner, parcel)
            )

    async def _record_relayed(self, parcel: Parcel, outcomes: list[Outcome]) -> None:
        """Records outcomes; mail to a postmaster that a server does not know goes on."""
        refused = local_attempts.refused_roles(parcel, outcomes)
        if refused is None:
            await self._record(outcomes)
            return
        ids = {one.id for one in refused.recipients}
        await self._record([one for one in outcomes if one.recipient_id not in ids])
        refusals = [one for one in outcomes if one.recipient_id in ids]
        await self._send_notices(
            await self._database.run(
                local_attempts.pass_on_refused_role, self._runner, refused, refusals
            )
        )

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        """Records outcomes, retrying as long as the database refuses. Raises nothing.

        The lease is renewed meanwhile, and stopping the runner cancels this.
        """
        record = self._recorder.record
        for pause in chain(RECORD_PAUSES, repeat(RECORD_PAUSES[-1])):
            database_back = self._database_back
            try:
                notices = await record(outcomes)
            except (OperationalError, InterfaceError):
                log.exception("the database does not take the outcome of an attempt")
            except Exception:
                # Not the database's absence but a fault in what accompanies the outcome,
                # such as the trace. At least the status must be saved.
                log.exception("the outcome of an attempt could not be written in full")
                record = self._record_statuses
            else:
                return await self._send_notices(notices)
            with suppress(TimeoutError):
                await asyncio.wait_for(database_back.wait(), pause)

    async def _record_together(self, outcomes: Sequence[Outcome]) -> list[int]:
        return await self._database.run(
            outcome_recording.record_outcomes, self._runner, outcomes
        )

    async def _record_statuses(self, outcomes: Sequence[Outcome]) -> list[int]:
        return await self._database.run(
            outcome_recording.record_statuses_only, self._runner, outcomes
        )

    async def _send_notices(self, notice_ids: Sequence[int]) -> None:
        """Sends the notices of recorded outcomes. Maintenance retries those that fail."""
        if not notice_ids:
            return
        try:
            await self._database.run(pending_notices.send, notice_ids)
        except Exception:
            log.exception("%d notices wait for the next maintenance", len(notice_ids))

    async def _note_reachability(
        self, destination: str, outcomes: Sequence[Outcome]
    ) -> None:
        """Makes waiting mail due once its next hop is back, whatever its backoff."""
        if any(outcome.cause is not Cause.REPLY for outcome in outcomes):
            self._unreachable.add(destination)
        elif destination in self._unreachable:
            self._unreachable.discard(destination)
            await self._database.run(
                claim.retry_now, destination, connection_errors.ALL
            )


def _deliver_one(runner: str, parcel: Parcel) -> list[int]:
    return local_attempts.deliver_to_mailboxes(runner, [parcel])


# Attempts that need no network, by the kind of the destination.
_LOCAL_ATTEMPTS = {
    RouteKind.LIST.value: local_attempts.expand_list,
    RouteKind.BOUNCES.value: local_attempts.collect_bounce,
    RouteKind.ADMINISTRATORS.value: local_attempts.expand_role,
    RouteKind.TLS_REPORTS.value: local_attempts.collect_tls_report,
}
