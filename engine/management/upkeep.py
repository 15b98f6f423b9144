"""What a running engine looks at every second: whatever changes beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from engine.database.threads import DatabaseThreads
from engine.queue.sending_rates import rate_alerts
from engine.routing import routes
from engine.smtp.refusal_trace import RefusalTrace
from engine.storage import quota

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds


async def follow_certificate(renew: Callable[[], None], stop: asyncio.Event) -> None:
    """Call `renew` again and again until told to stop.

    Apart from keep_fresh(), which waits for the database: certificates do not.
    """
    while not stop.is_set():
        renew()
        try:
            await asyncio.wait_for(stop.wait(), EVERY)
        except TimeoutError:
            continue


async def keep_fresh(refusals: RefusalTrace, stop: asyncio.Event) -> None:
    """Follow the registry and who is full, and write down what was refused and how
    much was sent, until told to stop.

    Whatever cannot be read or written now, what is in memory goes on serving.
    """
    threads = DatabaseThreads("upkeep", count=1)
    while not stop.is_set():
        await _look(threads, refusals)
        try:
            await asyncio.wait_for(stop.wait(), EVERY)
        except TimeoutError:
            continue
    await _look(threads, refusals)
    await threads.close()


async def _look(threads: DatabaseThreads, refusals: RefusalTrace) -> None:
    try:
        await routes.refresh()
        await threads.run(quota.refresh_full)
        await refusals.write(threads)
        await threads.run(rate_alerts.send_due_alerts)
    except Exception:
        log.exception("what changes beside the engine could not be followed")
