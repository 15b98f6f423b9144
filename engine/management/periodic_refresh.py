"""What a running engine refreshes every second: certificate, routes, quotas, traces."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from engine.database.threads import DatabaseThreads
from engine.queue.sending_rates import rate_alerts
from engine.registry.credentials import scram_offer
from engine.routing import routes
from engine.smtp.refusal_trace import RefusalTrace
from engine.storage import quota

log = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds


async def follow_certificate(renew: Callable[[], None], stop: asyncio.Event) -> None:
    """Calls `renew` every second until `stop` is set.

    Apart from `keep_fresh`, which waits for the database: a renewed certificate must be
    served during an outage too.
    """
    while not stop.is_set():
        renew()
        try:
            await asyncio.wait_for(stop.wait(), INTERVAL)
        except TimeoutError:
            continue


async def keep_fresh(refusals: RefusalTrace, stop: asyncio.Event) -> None:
    """Follows routes and full mailboxes, writes refusals and sends rate alerts.

    Runs every second until `stop` is set, and once more then. If the database does not
    answer, sessions continue with what is in memory.
    """
    threads = DatabaseThreads("upkeep", count=1)
    while not stop.is_set():
        await _refresh(threads, refusals)
        try:
            await asyncio.wait_for(stop.wait(), INTERVAL)
        except TimeoutError:
            continue
    await _refresh(threads, refusals)
    await threads.close()


async def _refresh(threads: DatabaseThreads, refusals: RefusalTrace) -> None:
    try:
        await routes.refresh()
        await threads.run(quota.refresh_full)
        await threads.run(scram_offer.refresh_when_due)
        await refusals.write(threads)
        await threads.run(rate_alerts.send_due_alerts)
    except Exception:
        log.exception(
            "routes, quotas or refusals could not be refreshed; sessions continue with "
            "what is in memory"
        )
