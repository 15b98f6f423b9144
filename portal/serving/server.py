"""One process of the site: its port, its connections and their limits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

from django.conf import settings
from uvicorn import Config, Server

from engine.health import readiness
from engine.health.monitor import monitored_loop
from engine.network.connection_limits import Limits
from engine.network.server_connections import ACCEPTED_AT_ONCE, BACKLOG, OpenConnections
from engine.processes import resource_limits
from engine.routing import routes
from portal.middleware import client_address
from portal.serving.asgi_handler import Site
from portal.serving.connection import HEAD_SECONDS, IDLE_SECONDS, Connection
from portal.serving.request_body import DEADLINE

# Seconds for responses in progress when the service stops.
GRACE_SECONDS = 10
# Files that are not connections: databases, static files, caches, logs.
OTHER_FILES = 200
# Files of one connection: its socket, and the file that buffers its body or response.
FILES_EACH = 2


async def serve(stop: asyncio.Event) -> None:
    """Serves the site until `stop` is set, then finishes the requests in progress."""
    allowed = limits(resource_limits.raise_open_files_limit())
    closing = asyncio.Event()
    draining = asyncio.create_task(_drain(stop, closing))
    routes.follow_in_background(at_once=True)
    async with monitored_loop("web"):
        with _open_port() as port:
            await serve_on(port, Site(settings.POSTERN.web_threads), allowed, closing)
    draining.cancel()


async def _drain(stop: asyncio.Event, closing: asyncio.Event) -> None:
    """Reports "not ready" for POSTERN_WEB_DRAIN_SECONDS, so that load balancers stop
    sending requests, then closes."""
    await stop.wait()
    readiness.drain()
    await asyncio.sleep(settings.POSTERN.web_drain_seconds)
    closing.set()


async def serve_on(
    port: socket.socket, site: Site, limits: Limits, stop: asyncio.Event
) -> None:
    """Serves a site on a socket that is already open."""
    server = WebServer(_config(site, limits), site)
    stopping = asyncio.create_task(server.stop_after(stop))
    await server.serve(sockets=[port])
    stopping.cancel()
    await site.close()


class WebServer(Server):
    """Uvicorn's server, which checks the deadlines of its connections every second."""

    def __init__(self, config: Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the code that runs the process (`engine.processes.process_group`)."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Sets our own backlog: the base class makes asyncio accept all of it in one go."""
        await super().startup(sockets)
        for port in sockets or ():
            port.listen(BACKLOG)

    async def on_tick(self, counter: int) -> bool:
        """Checks deadlines; the base class calls this ten times a second."""
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                cast(Connection, connection).look()
        return await super().on_tick(counter)

    async def stop_after(self, stop: asyncio.Event) -> None:
        """Begins to stop when the event is set."""
        await stop.wait()
        self.should_exit = True
        self._site.end_streams()


def limits(open_files: int) -> Limits:
    """Returns how many connections may be open, in total and for each address.

    The limits for strangers apply to clients that are between requests or still sending.
    One of our own proxies carries everybody's connections and counts as known.
    """
    total = resource_limits.fit_connections(
        settings.POSTERN.web_connections,
        each=FILES_EACH,
        others=OTHER_FILES,
        allowed=open_files,
    )
    return Limits(
        total,
        per_address=total if settings.POSTERN.trusted_proxies else total // 2,
        strangers_per_address=max(1, total // 10),
        strangers_per_network=max(1, total // 5),
        patience=DEADLINE + HEAD_SECONDS,
        least_patience=2 * HEAD_SECONDS,
    )


def _config(site: Site, limits: Limits) -> Config:
    sessions = OpenConnections(
        limits, is_known=client_address.is_proxy, remembers=False
    )
    return Config(
        site,
        http=cast(Any, partial(Connection, sessions=sessions)),
        ws="none",
        loop="asyncio",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        # Malformed requests from the internet would fill the log.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=ACCEPTED_AT_ONCE,
    )


def _open_port() -> socket.socket:
    host, port = settings.POSTERN.host, settings.POSTERN.web_port
    return socket.create_server(
        (host, port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=BACKLOG,
        reuse_port=settings.POSTERN.web_workers > 1,
    )
