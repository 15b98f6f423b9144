"""SMTP behind a load balancer that sends PROXY headers."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from django.conf import settings

from engine.network import proxied_connections
from engine.observability import metrics
from engine.registry.models import Connection, Person, Proof
from engine.routing import routes
from portal.demo.certificates import Authority
from tests import proxy_headers
from tests.engine.smtp.conftest import Server
from tests.engine.smtp.test_receive import HELLO
from tests.peers.haproxy import Passthrough
from tests.peers.swaks import Conversation, swaks, tls_options

pytestmark = pytest.mark.usefixtures("balancer")

FIRM, STRANGER = "192.0.2.7", "198.51.100.9"
GREETED = "s: 220 *\n"
HEADERS = {
    "line": proxy_headers.line(FIRM),
    "binary": proxy_headers.binary(FIRM),
    "mapped": proxy_headers.binary(f"::ffff:{FIRM}"),
}


@pytest.fixture
def balancer(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 is a load balancer; 127.0.0.2 is not."""
    monkeypatch.setattr(settings.POSTERN, "mail_balancers", [ip_network("127.0.0.1")])


@pytest.fixture
def bound_by_source(firm_connection: Connection) -> Connection:
    """The firm's server proves itself by its address."""
    firm_connection.proof = Proof.SOURCE
    firm_connection.source_networks = [f"{FIRM}/32"]
    firm_connection.save()
    return firm_connection


def after(header: bytes, text: str) -> str:
    """Returns the dialogue with the header in front of it."""
    escaped = header.decode("latin-1").encode("unicode_escape").decode()
    return f"c! {escaped}\n{text}"


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
async def test_the_client_behind_it_is_bound_by_its_address(
    server: Server, bound_by_source: Connection, header: bytes
) -> None:
    mail = HELLO + "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"

    await server.say("receive", after(header, mail))


@pytest.mark.slow
async def test_haproxy_passes_its_clients_on_in_both_versions(
    server: Server, authority: Authority, bob: Person, bound_by_source: Connection
) -> None:
    bound_by_source.source_networks = ["127.0.0.7/32"]
    await bound_by_source.asave()
    await routes.refresh()

    def send(port: int, source: str) -> Conversation:
        return swaks(
            port,
            *tls_options(authority.ca_file),
            *("--local-interface", source),
            sender="jane@firm.example",
            recipient=bob.address,
            message=b"From: jane@firm.example\n\nHello\n",
        )

    def talk() -> None:
        with Passthrough(server.receive) as haproxy:
            for port in haproxy.ports.values():
                known = send(port, "127.0.0.7")
                assert known.code == 0, known.transcript
                assert send(port, "127.0.0.8").refusal.startswith("530 5.7.0")

    await asyncio.to_thread(talk)


async def test_another_client_behind_it_is_not(
    server: Server, bound_by_source: Connection
) -> None:
    mail = HELLO + "c: MAIL FROM:<jane@firm.example>\ns: 530 *\n"

    await server.say("receive", after(proxy_headers.binary(STRANGER), mail))


async def test_refusals_name_the_client(
    server: Server, bound_by_source: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "postern.mail")
    refused = (
        HELLO + "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
        "c: RCPT TO:<nobody@nowhere.example>\ns: 550 *\n"
    )

    await server.say("receive", after(HEADERS["binary"], refused))

    assert FIRM in caplog.text
    assert "127.0.0.1" not in caplog.text


async def test_places_are_counted_for_the_client(server: Server) -> None:
    dialogues = [await server.begin("receive") for _ in range(2)]
    for one, client in zip(dialogues, (FIRM, STRANGER), strict=True):
        said = after(proxy_headers.line(client), GREETED)
        await asyncio.to_thread(one.say, said)

    sessions = server.contexts[0].sessions

    assert set(sessions._by_address) == {FIRM, STRANGER}
    for one in dialogues:
        one.close()


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
async def test_anyone_elses_header_is_a_protocol_error(
    server: Server, bound_by_source: Connection, header: bytes
) -> None:
    def say() -> bytes:
        address = ("127.0.0.1", server.receive)
        with socket.create_connection(address, 20, ("127.0.0.2", 0)) as client:
            client.sendall(header + b"NOOP\r\n" * 3)
            client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(4_096), b""))

    greeting, first, *_ = (await asyncio.to_thread(say)).splitlines()

    assert greeting.startswith(b"220 ")
    assert first.startswith(b"500 ")
    assert all(FIRM not in one for one in server.contexts[0].sessions._by_address)


@pytest.mark.parametrize("said", [b"", b"EHLO client\r\n", b"PROXY TCP4 x\r\n"])
async def test_without_a_header_it_gets_no_session(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    said: bytes,
) -> None:
    monkeypatch.setattr(proxied_connections, "HEADER_SECONDS", 0.2)

    for _ in range(3):
        answer = await asyncio.to_thread(exchange, server.receive, said)
        assert answer == b""

    # Once a minute is enough to find a balancer that was set up wrongly.
    assert len(caplog.records) == 1
    assert "POSTERN_MAIL_BALANCERS" in caplog.text


@pytest.mark.parametrize("port", ["receive", "submissions"])
@pytest.mark.parametrize("said", [b"", proxy_headers.LOCAL, b"PROXY UNKNOWN\r\n"])
async def test_its_health_checks_leave_no_trace(
    server: Server, caplog: pytest.LogCaptureFixture, port: str, said: bytes
) -> None:
    caplog.set_level(logging.INFO)
    before = counted()

    for _ in range(3):
        await asyncio.to_thread(check, getattr(server, port), said)
    await until(lambda: not any(len(one.sessions) for one in server.contexts))

    assert caplog.records == []
    assert counted() == before


async def test_a_health_check_may_speak(server: Server) -> None:
    check = GREETED + "c: EHLO check\ns: 250 *\nc: QUIT\ns: 221 *\nclosed\n"

    await server.say("receive", after(proxy_headers.LOCAL, check))


async def test_tls_begins_behind_the_header(server: Server, app_password: str) -> None:
    greeting = await asyncio.to_thread(begin_tls, server, HEADERS["binary"])

    assert greeting.startswith(b"220 ")


async def test_a_header_may_come_in_pieces_and_with_the_first_octets_of_tls(
    server: Server,
) -> None:
    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", server.submissions), 20) as client:
            for octet in HEADERS["line"][:-1]:
                client.sendall(bytes([octet]))
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = server.context.wrap_bio(
                incoming, outgoing, server_hostname="localhost"
            )
            return read_greeting(client, tls, incoming, outgoing)

    assert (await asyncio.to_thread(talk)).startswith(b"220 ")


def read_greeting(
    client: socket.socket,
    tls: ssl.SSLObject,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
) -> bytes:
    """Completes a header, and sends the ClientHello in the same segment."""
    unsent = HEADERS["line"][-1:]
    while True:
        try:
            tls.do_handshake()
            return tls.read(4_096)
        except ssl.SSLWantReadError:
            client.sendall(unsent + outgoing.read())
            unsent = b""
            incoming.write(client.recv(65_536))


def begin_tls(server: Server, header: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.submissions), 20) as raw:
        raw.sendall(header)
        with server.context.wrap_socket(raw, server_hostname="localhost") as client:
            return client.recv(4_096)


def check(port: int, said: bytes) -> None:
    """Connects and closes, as a balancer's check does."""
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(said)


def exchange(port: int, said: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(said)
        try:
            return client.recv(4_096)
        except ConnectionResetError:
            return b""


def counted() -> dict[str, float]:
    """Returns every counter except those of the interpreter."""
    return {
        f"{sample.name}{sample.labels}": sample.value
        for family in metrics.REGISTRY.collect()
        if family.type == "counter"
        for sample in family.samples
        if sample.name.endswith("_total")
    }


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.02)
