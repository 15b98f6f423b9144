from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from django.test import Client

from engine.network.connection_limits import Limits
from engine.registry.models import Person
from portal.serving.asgi_handler import Site
from portal.serving.server import serve_on
from tests.portal.conftest import sign_in

# Seconds, for a slow machine; no measurement depends on it.
PATIENCE = 60
EVENTS = "/mail/live/events/"
# The connection stays open after it, for the next request (RFC 9112 §7.1).
LAST_CHUNK = b"0\r\n"


@dataclass
class Stream:
    """A browser's event stream, read from a raw socket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    async def numbers(self) -> dict[str, int] | None:
        """Returns the next numbers; None where the stream ended."""
        async with asyncio.timeout(PATIENCE):
            while line := await self.reader.readline():
                if line == LAST_CHUNK:
                    return None
                if line.startswith(b"data: "):
                    found: dict[str, int] = json.loads(line[6:])
                    return found
        return None

    async def last(self) -> dict[str, int]:
        """Reads to the end; returns the last numbers that it had."""
        last: dict[str, int] = {}
        while (found := await self.numbers()) is not None:
            last = found
        return last


@dataclass
class Web:
    """A process of the site, with one thread for its pages."""

    port: int
    stop: asyncio.Event
    running: asyncio.Task[None]
    streams: list[Stream] = field(default_factory=list)

    async def listen(self, session: str) -> Stream:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        fields = ["Host: localhost", f"Cookie: sessionid={session}"]
        lines = [f"GET {EVENTS} HTTP/1.1", *fields]
        writer.write("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        self.streams.append(Stream(reader, writer, head))
        return self.streams[-1]


@pytest_asyncio.fixture
async def web(transactional_db: None) -> AsyncIterator[Web]:
    port = socket.create_server(("127.0.0.1", 0))
    stop = asyncio.Event()
    serving = serve_on(port, Site(1), Limits(200, patience=1_000.0), stop)
    web = Web(port.getsockname()[1], stop, asyncio.create_task(serving))
    yield web
    stop.set()
    await web.running
    for stream in web.streams:
        stream.writer.close()
        with suppress(OSError):
            await stream.writer.wait_closed()


SessionOf = Callable[..., str]


@pytest.fixture
def session_of() -> SessionOf:
    """Signs a person in with a browser of their own; returns the session's key."""

    def begin(person: Person, *, second_factor: bool = False) -> str:
        client = sign_in(Client(), person, second_factor=second_factor)
        client.get("/account/")
        return client.cookies["sessionid"].value

    return begin
