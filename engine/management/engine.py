"""The engine in one process: every port, the committer and the queue runner."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from engine.antivirus import scanner
from engine.pop3 import server as pop3
from engine.queue.accept import Committer
from engine.queue.runner import Runner
from engine.registry import routes
from engine.smtp.doors import Door
from engine.smtp.listener import Listener
from engine.smtp.receive import ReceiveDoor
from engine.smtp.server import listen, server_context
from engine.smtp.submission import SubmissionDoor

log = logging.getLogger(__name__)

# Seconds between two looks at whether the registry has changed.
REFRESH_EVERY = 1.0


async def run_engine(stop: asyncio.Event) -> None:
    """Serve until `stop` is set; then take nothing new and finish what is under way."""
    await routes.refresh()
    runner = Runner()
    committer = Committer(on_commit=runner.wake)
    servers = await _open_ports(committer)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run(stop))
        tasks.create_task(_keep_routes_fresh(stop))
        log.info("the mail engine is ready")
        await stop.wait()
        for server in servers:
            server.close()
    await committer.close()
    log.info("the mail engine has stopped")


async def _open_ports(committer: Committer) -> list[asyncio.Server]:
    posting = settings.POSTERN
    context = server_context(
        cert_file=posting.tls_cert_file,
        key_file=posting.tls_key_file,
        ca_file=posting.tls_ca_file,
    )
    threads = ThreadPoolExecutor(4, thread_name_prefix="credentials")
    scan_with = scanner.configured()

    def listener(door: Door) -> Listener:
        return Listener(
            door=door,
            server_name=posting.smtp_name,
            tls_context=context,
            scanner=scan_with,
            committer=committer,
            size_limit=posting.message_size_limit,
            threads=threads,
        )

    submission = listener(SubmissionDoor())
    host = posting.smtp_host
    return [
        await listen(listener(ReceiveDoor()), host=host, port=posting.smtp_port),
        await listen(submission, host=host, port=posting.submission_port),
        await listen(
            submission, host=host, port=posting.submissions_port, implicit_tls=True
        ),
        *await pop3.listen(
            host=host,
            port=posting.pop3_port,
            tls_port=posting.pop3s_port,
            tls_context=context,
        ),
    ]


async def _keep_routes_fresh(stop: asyncio.Event) -> None:
    while not stop.is_set():
        await routes.refresh()
        try:
            await asyncio.wait_for(stop.wait(), REFRESH_EVERY)
        except TimeoutError:
            continue
