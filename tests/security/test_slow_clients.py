"""Slow, silent or greedy clients of the site do not hold up other clients.

The site has a single thread here, so a client that blocked it would block all.
"""

from __future__ import annotations

import asyncio
import resource
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from pytest_django.fixtures import Settings

from engine.network.connection_limits import Limits
from engine.processes.resource_limits import raise_open_files_limit
from portal.serving import connection, request_body
from tests.portal.serving import pages
from tests.portal.serving.conftest import PATIENCE, ServeSite, Web, head

FRESH = "127.200.3.4"
FORM = "Content-Type: application/x-www-form-urlencoded"
BEGUN = head("POST", "/form/", "Content-Length: 5000", FORM) + b"\r\ntext=x"


@asynccontextmanager
async def clients(
    web: Web, number: int, say: bytes
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Opens that many connections, from ten addresses, and sends `say` on each."""
    async with AsyncExitStack() as stack:
        readers = []
        for one in range(number):
            reader, writer = await web.open(f"127.100.{one % 10}.1")
            stack.callback(writer.close)
            writer.write(say)
            readers.append(reader)
        yield readers


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Returns what the server sends until it closes the connection."""
    said = b""
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionError):
            while chunk := await reader.read(10_000):
                said += chunk
    return said


@pytest.mark.parametrize(
    "say",
    [b"", b"GET /page/ HTTP/1.1\r\nHost: loc", BEGUN],
    ids=["silent", "slow header", "slow body"],
)
async def test_a_page_is_served_beside_slow_clients(web: Web, say: bytes) -> None:
    async with clients(web, 30, say):
        answer = await web.get("/page/", address=FRESH)

    assert answer.endswith(f"page for {FRESH}".encode())


@pytest.mark.parametrize("path", ["/whole/", "/file/", "/table/"])
async def test_a_page_is_served_beside_slow_readers(web: Web, path: str) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(6):
            client = stack.enter_context(slow_reader(web.port))
            client.sendall(head("GET", path) + b"\r\n")
        answer = await web.get("/page/", address=FRESH)

    assert answer.endswith(f"page for {FRESH}".encode())


def slow_reader(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", port))
    return client


@pytest.fixture
def many_open_files() -> Iterator[None]:
    """Both ends of every connection are files here; a login shell allows 1,024."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_open_files_limit()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.slow
async def test_five_hundred_event_streams_hold_no_thread(
    serve: ServeSite, many_open_files: None
) -> None:
    web = await serve(limits=Limits(700))
    ask = head("GET", "/events/") + b"\r\n"
    async with clients(web, 500, ask) as readers:
        for reader in readers:
            async with asyncio.timeout(PATIENCE):
                await reader.readuntil(b"data: here")

        answer = await web.get("/page/", address=FRESH)

    assert answer.endswith(f"page for {FRESH}".encode())
    assert pages.streams.count("begun") == 500


@pytest.mark.slow
@pytest.mark.parametrize("say", [b"", b"GET /page/ HTTP/1.1\r\nX: "])
async def test_a_header_has_its_time(
    web: Web, say: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    reader, writer = await web.open()
    writer.write(say)

    assert await ended(reader) == b""
    writer.close()


@pytest.mark.slow
async def test_a_second_header_has_its_time(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    reader, writer = await web.open()
    writer.write(head("GET", "/page/") + b"\r\nGET /page/ HT")

    assert (await ended(reader)).count(b"HTTP/1.1 200") == 1
    writer.close()


async def test_a_body_has_its_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "PATIENCE", 0.3)
    reader, writer = await web.open()
    writer.write(BEGUN)
    async with asyncio.timeout(PATIENCE):
        line = await reader.readline()
    writer.close()

    assert line.startswith(b"HTTP/1.1 408 ")


@pytest.mark.slow
async def test_a_body_that_was_refused_is_not_waited_for(
    web: Web, db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT_URLCONF = "portal.urls"
    monkeypatch.setattr(request_body, "DISCARD_SECONDS", 0.3)
    reader, writer = await web.open()
    writer.write(
        head("POST", "/apply/email/", "Content-Length: 5000000", FORM) + b"\r\nx"
    )

    said = await ended(reader)
    writer.close()

    assert said.startswith(b"HTTP/1.1 413 ")


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/whole/", "/file/", "/events/"])
async def test_an_answer_that_nobody_reads_is_given_up(
    web: Web, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "READ_SECONDS", 0.3)
    if path == "/events/":
        monkeypatch.setattr(pages, "EVENT", b"x" * 1_000_000)
    with slow_reader(web.port) as client:
        client.sendall((head("GET", path) + b"\r\n") * 5)

        assert await asyncio.to_thread(is_cut_off, client)


def is_cut_off(client: socket.socket) -> bool:
    """Whether the server closes a connection whose client has read nothing."""
    watch = select.poll()
    watch.register(client, select.POLLERR)
    return bool(watch.poll(PATIENCE * 1000))


@pytest.mark.slow
async def test_a_newcomer_gets_in_where_all_places_are_taken(
    serve: ServeSite,
) -> None:
    few = Limits(24, strangers_per_address=6, strangers_per_network=6)
    web = await serve(limits=few)
    async with clients(web, 60, b"") as readers:
        answer = await web.get("/page/", address=FRESH)
        async with asyncio.timeout(PATIENCE):
            refusal = await readers[0].read()

    assert answer.endswith(f"page for {FRESH}".encode())
    assert refusal.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After:" in refusal


async def test_what_is_being_answered_makes_no_room(serve: ServeSite) -> None:
    web = await serve(limits=Limits(8, strangers_per_address=6))
    reader, writer = await web.open(FRESH)
    writer.write(head("GET", "/events/") + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b"data: here")

        async with clients(web, 40, b""):
            await reader.readuntil(b"data: here")
    writer.close()

    assert pages.streams == ["begun"]
