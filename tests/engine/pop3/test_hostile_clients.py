"""Clients that are broken, slow, greedy or malicious."""

from __future__ import annotations

import asyncio
import poplib
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from engine.blobs import store
from engine.blobs.interface import Kind
from engine.network import connection_limits
from engine.pop3.server_context import Limits
from engine.registry.credentials import authentication
from engine.registry.credentials.sign_in_throttle import USERNAME_LIMIT
from engine.registry.models import Person
from engine.storage.models import Message
from tests.engine.pop3 import sample_messages
from tests.engine.pop3.conftest import SECRET, Serve, Server

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def signed_in(server: Server) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection(
        "localhost", server.pop3s, ssl=server.context, limit=2**24
    )
    writer.write(f"USER bob@northfield.secure.example\r\nPASS {SECRET}\r\n".encode())
    for _ in range(3):
        assert (await reader.readline()).startswith(b"+OK")
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """Reads until the server closes the connection, cleanly or by reset."""
    said = b""
    with suppress(ConnectionError):
        while chunk := await reader.read(1000):
            said += chunk
    return said


async def still_serves(server: Server) -> bool:
    def capabilities() -> int:
        client = poplib.POP3("localhost", server.pop3, timeout=20)
        found = client.capa()
        client.quit()
        return len(found)

    return await asyncio.to_thread(capabilities) > 0


async def test_half_closed_peer_gets_every_answer(server: Server) -> None:
    async with connected(server.pop3) as (reader, writer):
        writer.write(b"CAPA\r\nQUIT\r\n")
        writer.write_eof()

        said = await reader.read()

    assert said.endswith(b"STLS\r\n.\r\n+OK Bye\r\n")


async def test_peer_that_says_nothing(serve: Serve) -> None:
    server = await serve(Limits(places=connection_limits.Limits(10, patience=0.05)))
    async with connected(server.pop3) as (reader, _):
        said = await reader.read()

    assert said.count(b"\r\n") == 1


async def test_peer_that_talks_but_does_not_sign_in(serve: Serve) -> None:
    server = await serve(Limits(places=connection_limits.Limits(10, patience=0.05)))
    async with connected(server.pop3) as (reader, writer):

        async def talk() -> None:
            while not writer.is_closing():
                writer.write(b"CAPA\r\n")
                await asyncio.sleep(0.01)

        talking = asyncio.create_task(talk())
        await read_to_end(reader)
        talking.cancel()

    assert await still_serves(server)


async def test_idle_session_ends_and_deletes_nothing(
    serve: Serve, reader: Person
) -> None:
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox)
    server = await serve(Limits(idle=0.1))

    async with signed_in(server) as (lines, writer):
        writer.write(b"DELE 1\r\n")
        said = await lines.read()

    assert said == b"+OK\r\n"
    assert await asyncio.to_thread(Message.objects.count) == 1


async def test_peer_that_does_not_read(serve: Serve, reader: Person) -> None:
    """A client that requests a large message repeatedly and reads nothing."""
    raw = sample_messages.HEADER + b"x" * 70 + b"\r\n" + bytes(5_000_000)
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox, raw)
    server = await serve(Limits(idle=0.1))

    async with signed_in(server) as (_, writer):
        writer.transport.pause_reading()
        writer.write(b"RETR 1\r\n" * 5)
        while server.state.in_use:
            await asyncio.sleep(0.01)

    assert await still_serves(server)


ONE = Limits(places=connection_limits.Limits(1))


async def test_silent_connection_makes_room_for_a_newcomer(serve: Serve) -> None:
    server = await serve(ONE)
    async with connected(server.pop3) as (one, _):
        await one.readline()
        async with connected(server.pop3) as (two, _):
            greeted = await two.readline()
            ended = await one.read()

    assert greeted.startswith(b"+OK")
    assert ended.startswith(
        b"-ERR [SYS/TEMP] Too many connections are waiting to sign in"
    )


async def test_signed_in_session_makes_no_room(serve: Serve, reader: Person) -> None:
    server = await serve(ONE)
    async with signed_in(server) as (lines, writer):
        async with connected(server.pop3) as (other, _):
            refused = await other.read()
        writer.write(b"NOOP\r\n")
        answered = await lines.readline()

    assert refused == b"-ERR [SYS/TEMP] Too many connections; wait and try again\r\n"
    assert answered == b"+OK\r\n"


async def test_a_client_that_never_begins_tls_counts_all_the_same(serve: Serve) -> None:
    server = await serve(ONE)
    async with connected(server.pop3s) as (silent, _):
        async with asyncio.timeout(20):
            while not len(server.state.sessions):
                await asyncio.sleep(0.02)
        async with connected(server.pop3) as (other, _):
            await other.readline()
            ended = await read_to_end(silent)

    assert ended == b""


async def test_guessing_is_slowed_down(server: Server) -> None:
    for _ in range(USERNAME_LIMIT):
        authentication.throttle.failed("guessed@northfield.secure.example", "192.0.2.1")

    def guess() -> None:
        client = poplib.POP3_SSL("localhost", server.pop3s, context=server.context)
        try:
            client.user("guessed@northfield.secure.example")
            client.pass_(SECRET)
        finally:
            client.close()

    with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\] Too many failed"):
        await asyncio.to_thread(guess)


@pytest.mark.parametrize("seed", range(5))
async def test_noise(server: Server, seed: int) -> None:
    noise = random.Random(seed)
    async with connected(server.pop3) as (reader, writer):
        for _ in range(50):
            writer.write(noise.randbytes(noise.randrange(300)) + b"\r\n")
        writer.write_eof()
        await read_to_end(reader)

    assert await still_serves(server)


@pytest.mark.parametrize("port", ["pop3", "pop3s"])
async def test_noise_instead_of_a_handshake(server: Server, port: str) -> None:
    async with connected(getattr(server, port)) as (reader, writer):
        if port == "pop3":
            writer.write(b"STLS\r\n")
            await reader.readline()
            await reader.readline()
        writer.write(b"USER bob\r\nPASS x\r\n")
        said = await read_to_end(reader)

    assert b"+OK" not in said
    assert await still_serves(server)


async def test_thousands_of_commands_at_once(server: Server, reader: Person) -> None:
    async with signed_in(server) as (lines, writer):
        writer.write(b"NOOP\r\n" * 20_000 + b"QUIT\r\n")
        said = await lines.read()

    assert said == b"+OK\r\n" * 20_000 + b"+OK Bye\r\n"


async def test_peer_that_vanishes_leaves_the_maildrop_free(
    server: Server, reader: Person
) -> None:
    await asyncio.to_thread(
        sample_messages.deliver, reader.mailbox, sample_messages.HEADER + bytes(10**7)
    )
    async with signed_in(server) as (_, writer):
        writer.write(b"RETR 1\r\n")
        writer.transport.abort()
    while server.state.in_use:
        await asyncio.sleep(0.01)

    async with signed_in(server):
        pass


async def test_fault_of_ours(server: Server, reader: Person) -> None:
    """The blob is missing: the client gets an error, and the session continues."""
    message = await asyncio.to_thread(
        sample_messages.deliver, reader.mailbox, sample_messages.HEADER + bytes(10**6)
    )
    await asyncio.to_thread(forget_blob, message)

    async with signed_in(server) as (lines, writer):
        writer.write(b"RETR 1\r\nNOOP\r\n")
        assert (await lines.readline()).startswith(b"-ERR")
        assert await lines.readline() == b"+OK\r\n"


def forget_blob(message: Message) -> None:
    store.delete(Kind.BODY, message.content.blob_key)


async def test_half_a_line_and_goodbye(server: Server) -> None:
    def talk() -> None:
        with socket.create_connection(("127.0.0.1", server.pop3)) as client:
            client.recv(100)
            client.sendall(b"CAP")

    await asyncio.to_thread(talk)

    assert await still_serves(server)
