"""The engine in one process: every port, the committer and the queue runner."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from django.conf import settings

from engine.antivirus import scanner
from engine.pop3 import server as pop3
from engine.queue.committer import Committer
from engine.queue.runner import Runner
from engine.registry import routes
from engine.smtp.doors import Door
from engine.smtp.listener import Listener
from engine.smtp.receive import ReceiveDoor
from engine.smtp.server import listen, server_context
from engine.smtp.submission import SubmissionDoor
from engine.threads import DatabaseThreads

log = logging.getLogger(__name__)

# Seconds between two looks at whether registry or certificate have changed.
REFRESH_EVERY = 1.0


async def run_engine(stop: asyncio.Event) -> None:
    """Serve until `stop` is set; then take nothing new and finish what is under way."""
    await routes.refresh()
    runner = Runner()
    committer = Committer(on_queued=runner.wake)
    context = server_context(
        cert_file=settings.POSTERN.tls_cert_file,
        key_file=settings.POSTERN.tls_key_file,
        ca_file=settings.POSTERN.tls_ca_file,
    )
    servers = await _hear_smtp(context, committer) + await _hear_pop3(context)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run(stop))
        tasks.create_task(_keep_fresh(context, stop))
        log.info("the mail engine is ready")
        await stop.wait()
        for server in servers:
            server.close()
    await committer.close()
    log.info("the mail engine has stopped")


async def _hear_smtp(
    context: ssl.SSLContext, committer: Committer
) -> list[asyncio.Server]:
    chosen = settings.POSTERN
    threads = DatabaseThreads("credentials", count=4)
    scan_with = scanner.configured()

    def listener(door: Door) -> Listener:
        return Listener(
            door=door,
            server_name=chosen.smtp_name,
            tls_context=context,
            scanner=scan_with,
            committer=committer,
            size_limit=chosen.message_size_limit,
            threads=threads,
        )

    receive, submission = listener(ReceiveDoor()), listener(SubmissionDoor())
    host, direct = chosen.smtp_host, chosen.submissions_port
    return [
        await listen(receive, host=host, port=chosen.smtp_port),
        await listen(submission, host=host, port=chosen.submission_port),
        await listen(submission, host=host, port=direct, implicit_tls=True),
    ]


async def _hear_pop3(context: ssl.SSLContext) -> list[asyncio.Server]:
    chosen = settings.POSTERN
    return await pop3.listen(
        host=chosen.smtp_host,
        port=chosen.pop3_port,
        tls_port=chosen.pop3s_port,
        tls_context=context,
    )


async def _keep_fresh(context: ssl.SSLContext, stop: asyncio.Event) -> None:
    """Follow the registry, and the certificate when it is renewed, until told to stop.

    Whatever cannot be read now, what is in memory goes on serving.
    """
    loaded_at = _certificate_time()
    while not stop.is_set():
        try:
            await routes.refresh()
            if _certificate_time() != loaded_at:
                loaded_at = _certificate_time()
                load_certificate(context)
        except Exception:
            log.exception("the routes or the certificate could not be refreshed")
        try:
            await asyncio.wait_for(stop.wait(), REFRESH_EVERY)
        except TimeoutError:
            continue


def _certificate_time() -> float:
    return Path(settings.POSTERN.tls_cert_file).stat().st_mtime


def load_certificate(context: ssl.SSLContext) -> None:
    """Serve the certificate that the configuration names, as it is now."""
    context.load_cert_chain(
        settings.POSTERN.tls_cert_file, settings.POSTERN.tls_key_file
    )
