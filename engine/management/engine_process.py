"""One process of the mail engine: its ports, the committer and the queue runner."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
from functools import partial
from typing import NamedTuple

from django.conf import settings

from engine.antivirus.scanners import coverage_proof, message_scan
from engine.database.threads import DatabaseThreads
from engine.health.monitor import monitored_loop
from engine.management import periodic_refresh
from engine.network import connection_limits
from engine.observability import metrics
from engine.pop3 import server as pop3
from engine.pop3 import server_context as pop3_context
from engine.processes import resource_limits
from engine.queue.delivery.runner import Runner
from engine.queue.enqueue.group_commit import GroupCommitter
from engine.routing import routes
from engine.secrets.certificates import CertificateFiles, ReloadingContext
from engine.smtp.listener_policy import ListenerPolicy
from engine.smtp.receive_policy import ReceivePolicy
from engine.smtp.refusal_trace import RefusalTrace
from engine.smtp.server import listen, server_tls_context
from engine.smtp.server_context import ServerContext
from engine.smtp.submission_policy import SubmissionPolicy

log = logging.getLogger(__name__)

# The socket of a session, the file that its message is spooled to, the scanner's socket.
FILES_PER_SESSION = 3
# Connections to the database, next hops and name servers; blobs and logs.
OTHER_FILES = 200


async def run_engine(stop: asyncio.Event) -> None:
    """Serves until `stop` is set; then accepts nothing new and finishes open sessions."""
    async with monitored_loop("engine"):
        await _run(stop)


async def _run(stop: asyncio.Event) -> None:
    limits = _limits(resource_limits.raise_open_files_limit())
    await routes.refresh()
    runner = Runner()
    committer = GroupCommitter(on_queued=runner.wake)
    refusals = RefusalTrace()
    chosen = settings.POSTERN
    certificate = ReloadingContext(
        CertificateFiles(chosen.tls_cert_file, chosen.tls_key_file, chosen.tls_ca_file),
        server_tls_context,
    )
    smtp = _smtp_servers(certificate.context, committer, refusals, limits.smtp)
    mailboxes = pop3.new_context(certificate.context, limits.pop3)

    def renew() -> None:
        for server in (*smtp, mailboxes):
            server.tls_context = certificate.reload_if_changed()

    ports = [*await _listen_smtp(*smtp), *await _listen_pop3(mailboxes)]
    _count_sessions(*smtp, mailboxes)
    # What exists now stays: modules, and routes that may be those of half a million
    # people. The garbage collector would stop the loop to look through them.
    gc.freeze()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run(stop))
        tasks.create_task(coverage_proof.keep(stop))
        tasks.create_task(periodic_refresh.keep_fresh(refusals, stop))
        tasks.create_task(periodic_refresh.follow_certificate(renew, stop))
        log.info("the mail engine is ready")
        await stop.wait()
        for port in ports:
            port.close()
    await committer.close()
    log.info("the mail engine has stopped")


def _count_sessions(
    receive: ServerContext,
    submission: ServerContext,
    mailboxes: pop3_context.ServerContext,
) -> None:
    for name, sessions in (
        ("receive", receive.sessions),
        ("submission", submission.sessions),
        ("pop3", mailboxes.sessions),
    ):
        metrics.SESSIONS.labels(name).set_function(partial(len, sessions))


class _Limits(NamedTuple):
    smtp: connection_limits.Limits
    pop3: connection_limits.Limits


def _limits(open_files: int) -> _Limits:
    """Returns the configured numbers of sessions, lowered to what open files allow."""
    chosen = settings.POSTERN
    wanted = 2 * chosen.smtp_sessions + chosen.pop3_sessions
    possible = resource_limits.fit_connections(
        wanted, each=FILES_PER_SESSION, others=OTHER_FILES, allowed=open_files
    )
    smtp, pop3 = (
        connection_limits.Limits(max(1, number * possible // wanted))
        for number in (chosen.smtp_sessions, chosen.pop3_sessions)
    )
    return _Limits(smtp, pop3)


def _smtp_servers(
    context: ssl.SSLContext,
    committer: GroupCommitter,
    refusals: RefusalTrace,
    limits: connection_limits.Limits,
) -> tuple[ServerContext, ServerContext]:
    """Returns the contexts of the ports for organisations' servers and for people."""
    chosen = settings.POSTERN
    threads = DatabaseThreads("credentials", count=4)
    scan_with = message_scan.configured()

    def new_server(policy: ListenerPolicy) -> ServerContext:
        return ServerContext(
            policy=policy,
            server_name=chosen.smtp_name,
            tls_context=context,
            scanner=scan_with,
            committer=committer,
            size_limit=chosen.message_size_limit,
            threads=threads,
            refusals=refusals,
            limits=limits,
        )

    return new_server(ReceivePolicy()), new_server(SubmissionPolicy())


async def _listen_smtp(
    receive: ServerContext, submission: ServerContext
) -> list[asyncio.Server]:
    chosen = settings.POSTERN
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


async def _listen_pop3(mailboxes: pop3_context.ServerContext) -> list[asyncio.Server]:
    chosen = settings.POSTERN
    return await pop3.listen(
        mailboxes,
        host=chosen.smtp_host,
        port=chosen.pop3_port,
        tls_port=chosen.pop3s_port,
        is_shared=_is_shared(),
    )


def _is_shared() -> bool:
    """Whether other processes of the engine listen on the same ports."""
    processes: int = settings.POSTERN.engine_processes
    return processes > 1
