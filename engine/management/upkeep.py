"""What a running engine looks at every second: whatever changes beside it."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from django.conf import settings

from engine.queue import rate_alarms
from engine.registry import routes
from engine.smtp.refusals import Refusals
from engine.storage import quota
from engine.threads import DatabaseThreads

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds


async def keep_fresh(
    context: ssl.SSLContext, refusals: Refusals, stop: asyncio.Event
) -> None:
    """Follow the registry, who is full, and the certificate when it is renewed, and
    write down what was refused and how much was sent, until told to stop.

    Whatever cannot be read or written now, what is in memory goes on serving.
    """
    threads = DatabaseThreads("upkeep", count=1)
    certificate = Certificate(context)
    while not stop.is_set():
        await _look(threads, certificate, refusals)
        try:
            await asyncio.wait_for(stop.wait(), EVERY)
        except TimeoutError:
            continue
    await _look(threads, certificate, refusals)
    await threads.close()


async def _look(
    threads: DatabaseThreads, certificate: Certificate, refusals: Refusals
) -> None:
    try:
        await routes.refresh()
        await threads.run(quota.look)
        await refusals.write(threads)
        await threads.run(rate_alarms.write)
        certificate.follow()
    except Exception:
        log.exception("what changes beside the engine could not be followed")


class Certificate:
    """The certificate that the configuration names, as a context serves it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._loaded_at = _written_at()

    def follow(self) -> None:
        """Serve it as it is now."""
        if _written_at() == self._loaded_at:
            return
        self._loaded_at = _written_at()
        ours = settings.POSTERN
        self._context.load_cert_chain(ours.tls_cert_file, ours.tls_key_file)


def _written_at() -> float:
    return Path(settings.POSTERN.tls_cert_file).stat().st_mtime
