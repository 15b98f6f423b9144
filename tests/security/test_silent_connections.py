"""Silent and slow SMTP and POP3 clients do not hold up other clients."""

from __future__ import annotations

import asyncio
import poplib
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from engine.network import server_connections
from engine.network.connection_limits import Limits
from engine.pop3.server_context import Limits as Pop3Limits
from engine.registry.models import Connection, Person, Proof
from engine.routing import routes
from engine.smtp import message_intake
from engine.storage.models import Message
from tests.engine.pop3.conftest import Server as Pop3Server
from tests.engine.smtp.conftest import SECRET, Server

# Thirty places for unknown clients, for which fifty connect.
FEW = Limits(40, strangers_per_address=8, strangers_per_network=12)
FRESH = "127.200.3.4"
HELLO = "s: 220 *\nc: EHLO firm.example\ns: 250 *\n"
TLS = HELLO + "c: STARTTLS\ns: 220 *\ntls\nc: EHLO firm.example\ns: 250 *\n"


@asynccontextmanager
async def silent_connections(port: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Opens fifty silent connections, five from each of ten addresses."""
    opened = [
        await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(f"127.100.{number % 10}.1", 0)
        )
        for number in range(50)
    ]
    try:
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()


async def last_lines(readers: list[asyncio.StreamReader]) -> list[bytes]:
    """Returns the server's last lines to the clients that it has disconnected."""
    said = []
    for reader in readers:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(0.05):
                said.append(await reader.read())
    return [words.split(b"\r\n")[-2] for words in said]


def send(port: int, context: ssl.SSLContext, person: Person, to: Person) -> None:
    with smtplib.SMTP("localhost", port, source_address=(FRESH, 0)) as client:
        client.starttls(context=context)
        client.login(person.address, SECRET)
        client.sendmail(
            person.address,
            [to.address],
            f"From: <{person.address}>\r\nTo: <{to.address}>\r\n\r\nAt ten.\r\n",
        )


@pytest.mark.slow
async def test_member_from_a_fresh_address_sends_beside_silent_connections(
    server: Server, alice: Person, bob: Person, app_password: str
) -> None:
    await routes.refresh()
    server.contexts[1].sessions.limits = FEW
    async with silent_connections(server.submission) as readers:
        await asyncio.to_thread(send, server.submission, server.context, bob, alice)
        answers = await last_lines(readers)

    assert await Message.objects.acount() >= 1
    assert len(answers) >= 21
    assert set(answers) == {
        b"421 4.7.0 Too many connections are waiting to sign in; connect again and sign in immediately"
    }


@pytest.mark.slow
async def test_session_that_has_signed_in_outlives_any_number_of_others(
    server: Server, bob: Person, credential: str
) -> None:
    server.contexts[0].sessions.limits = FEW
    dialogue = await server.begin("receive")
    sign_in = TLS + "c: AUTH PLAIN {credential}\ns: 235 *\n"
    await asyncio.to_thread(dialogue.say, sign_in, credential=credential)

    async with silent_connections(server.receive):
        await asyncio.to_thread(dialogue.run, "c: NOOP\ns: 250 *\n")


async def test_members_own_servers_and_providers_are_known_by_their_networks(
    server: Server, firm_connection: Connection
) -> None:
    assert not routes.is_known_source("192.0.2.7")
    firm_connection.proof = Proof.SOURCE
    firm_connection.source_networks = ["192.0.2.0/28"]
    await firm_connection.asave()
    await routes.refresh()

    assert routes.is_known_source("192.0.2.7")
    assert not routes.is_known_source("192.0.2.77")
    assert routes.is_known_source("::ffff:192.0.2.7")
    assert routes.is_known_source("40.92.0.1")  # a Microsoft address
    assert not routes.is_known_source("")


async def test_handshake_that_never_ends_is_cut_off(server: Server) -> None:
    waiting = server.contexts[0].sessions
    waiting.limits = replace(waiting.limits, patience=0.4)

    def shake() -> bytes:
        with socket.create_connection(("127.0.0.1", server.receive), 20) as client:
            client.sendall(b"EHLO x\r\nSTARTTLS\r\n")
            said = b""
            with suppress(ConnectionError):
                while chunk := client.recv(1000):
                    said += chunk
            return said

    said = await asyncio.to_thread(shake)

    assert said.endswith(b"220 2.0.0 Ready to start TLS\r\n")
    assert len(waiting) == 0


async def test_peer_that_reads_nothing_is_cut_off(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_connections, "LINGER_SECONDS", 0.1)
    waiting = server.contexts[0].sessions
    waiting.limits = replace(waiting.limits, patience=0.4)

    def flood() -> None:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.connect(("127.0.0.1", server.receive))
            with suppress(ConnectionError):
                while True:
                    client.sendall(b"EHLO x\r\n" * 1000)

    await asyncio.to_thread(flood)

    assert len(waiting) == 0


async def test_message_that_trickles_in_is_broken_off(
    server: Server, bob: Person, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_intake, "PATIENCE", 0.4)

    await server.say(
        "receive",
        TLS
        + "c: AUTH PLAIN {credential}\ns: 235 *\n"
        + f"c: MAIL FROM:<jane@firm.example>\ns: 250 *\nc: RCPT TO:<{bob.address}>\n"
        + "s: 250 *\nc: DATA\ns: 354 *\nc: From: jane@firm.example\ns: 421 4.3.0 *\n"
        + "closed\n",
        credential=credential,
    )

    assert await Message.objects.acount() == 0


def test_message_has_time_for_what_has_come() -> None:
    assert message_intake.seconds_for(0) >= 180  # RFC 5321 §4.5.3.2.5
    assert message_intake.seconds_for(50 * 1024 * 1024) == message_intake.DEADLINE
    assert message_intake.seconds_for(60_000) - message_intake.seconds_for(0) == 60


@pytest.mark.slow
async def test_member_reads_by_pop3_beside_silent_connections(
    serve_pop3: Callable[[Pop3Limits], Awaitable[Pop3Server]], reader: Person
) -> None:
    server = await serve_pop3(Pop3Limits(places=FEW))

    def read() -> bytes:
        client = poplib.POP3("localhost", server.pop3, timeout=20)
        client.stls(server.context)
        client.user(reader.address)
        client.pass_(SECRET)
        return client.quit()

    async with silent_connections(server.pop3) as readers:
        assert (await asyncio.to_thread(read)).startswith(b"+OK")
        answers = await last_lines(readers)

    assert len(answers) >= 21
    assert all(words.startswith(b"-ERR [SYS/TEMP] Too many") for words in answers)
