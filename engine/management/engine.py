"""The engine in one process: every port, the committer and the queue runner."""

from __future__ import annotations

import asyncio
import logging
import ssl

from django.conf import settings

from engine.antivirus import scanner
from engine.management import upkeep
from engine.pop3 import server as pop3
from engine.queue.committer import Committer
from engine.queue.runner import Runner
from engine.registry import routes
from engine.smtp.doors import Door
from engine.smtp.listener import Listener
from engine.smtp.receive import ReceiveDoor
from engine.smtp.refusals import Refusals
from engine.smtp.server import listen, server_context
from engine.smtp.submission import SubmissionDoor
from engine.threads import DatabaseThreads

log = logging.getLogger(__name__)


async def run_engine(stop: asyncio.Event) -> None:
    """Serve until `stop` is set; then take nothing new and finish what is under way."""
    await routes.refresh()
    runner = Runner()
    committer = Committer(on_queued=runner.wake)
    refusals = Refusals()
    context = server_context(
        cert_file=settings.POSTERN.tls_cert_file,
        key_file=settings.POSTERN.tls_key_file,
        ca_file=settings.POSTERN.tls_ca_file,
    )
    servers = await _hear_smtp(context, committer, refusals) + await _hear_pop3(context)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run(stop))
        tasks.create_task(upkeep.keep_fresh(context, refusals, stop))
        log.info("the mail engine is ready")
        await stop.wait()
        for server in servers:
            server.close()
    await committer.close()
    log.info("the mail engine has stopped")


async def _hear_smtp(
    context: ssl.SSLContext, committer: Committer, refusals: Refusals
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
            refusals=refusals,
        )

    receive, submission = listener(ReceiveDoor()), listener(SubmissionDoor())
    host, direct = chosen.smtp_host, chosen.submissions_port
    shared = _is_shared()
    return [
        await listen(receive, host=host, port=chosen.smtp_port, is_shared=shared),
        await listen(
            submission, host=host, port=chosen.submission_port, is_shared=shared
        ),
        await listen(
            submission, host=host, port=direct, implicit_tls=True, is_shared=shared
        ),
    ]


async def _hear_pop3(context: ssl.SSLContext) -> list[asyncio.Server]:
    chosen = settings.POSTERN
    return await pop3.listen(
        host=chosen.smtp_host,
        port=chosen.pop3_port,
        tls_port=chosen.pop3s_port,
        tls_context=context,
        is_shared=_is_shared(),
    )


def _is_shared() -> bool:
    """Whether other processes of the engine are on the same ports."""
    processes: int = settings.POSTERN.engine_processes
    return processes > 1
