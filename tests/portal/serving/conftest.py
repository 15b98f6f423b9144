from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest_asyncio
from pytest_django.fixtures import Settings

from engine.network.connection_limits import Limits
from portal.serving.asgi_handler import Site
from portal.serving.server import serve_on
from tests.portal.serving import pages

# Seconds, for a slow machine; no measurement depends on it.
PATIENCE = 120
ROOMY = Limits(200, patience=1_000.0)


@dataclass
class Web:
    """A process of the site on its own port, and clients of it."""

    port: int
    stop: asyncio.Event
    running: asyncio.Task[None]

    async def open(
        self, address: str = "127.0.0.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(address, 0)
        )

    async def ask(self, request: bytes, address: str = "127.0.0.1") -> bytes:
        """Sends a request, and reads until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await self.open(address)
            writer.write(request)
            try:
                return await reader.read()
            finally:
                writer.close()

    async def get(self, path: str, address: str = "127.0.0.1") -> bytes:
        return await self.ask(head("GET", path, "Connection: close") + b"\r\n", address)


def head(method: str, path: str, *fields: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields]
    return "".join(f"{line}\r\n" for line in lines).encode()


ServeSite = Callable[..., Awaitable[Web]]


@pytest_asyncio.fixture
async def serve(settings: Settings) -> AsyncIterator[ServeSite]:
    """Starts the site of `pages` with that many threads and those limits."""
    settings.ROOT_URLCONF = "tests.portal.serving.pages"
    pages.seen.clear()
    pages.streams.clear()
    started: list[Web] = []

    async def start(*, threads: int = 1, limits: Limits = ROOMY) -> Web:
        port = socket.create_server(("127.0.0.1", 0))
        stop = asyncio.Event()
        serving = serve_on(port, Site(threads), limits, stop)
        running = asyncio.create_task(serving)
        web = Web(port.getsockname()[1], stop, running)
        started.append(web)
        return web

    yield start
    for web in started:
        web.stop.set()
        await web.running


@pytest_asyncio.fixture
async def web(serve: ServeSite) -> Web:
    """A site with one thread: a client that blocked it would block all."""
    return await serve()
