"""POP3 behind a load balancer that sends PROXY headers."""

from __future__ import annotations

import asyncio
import poplib
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from django.conf import settings

from engine.registry.models import Person
from tests import proxy_headers
from tests.engine.pop3.conftest import SECRET, Server

pytestmark = pytest.mark.usefixtures("balancer")

CLIENT = "192.0.2.7"


@pytest.fixture
def balancer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.POSTERN, "mail_balancers", [ip_network("127.0.0.1")])


class Behind(poplib.POP3):
    """A client behind a balancer, in clear or with TLS from the first octet on."""

    def __init__(
        self, port: int, header: bytes, context: ssl.SSLContext | None
    ) -> None:
        self._header, self._context = header, context
        super().__init__("localhost", port, timeout=20)

    def _create_socket(self, timeout: float) -> socket.socket:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout)
        raw.sendall(self._header)
        if self._context is None:
            return raw
        return self._context.wrap_socket(raw, server_hostname="localhost")


@pytest.mark.parametrize("header", [proxy_headers.line, proxy_headers.binary])
async def test_the_client_behind_it_signs_in_with_stls_and_with_tls(
    server: Server, reader: Person, header: Callable[[str], bytes]
) -> None:
    def talk() -> None:
        for port, context in ((server.pop3, None), (server.pop3s, server.context)):
            client = Behind(port, header(CLIENT), context)
            if context is None:
                client.stls(server.context)
            client.user(reader.address)
            assert client.pass_(SECRET).startswith(b"+OK")
            client.quit()

    await asyncio.to_thread(talk)


async def test_places_are_counted_for_the_client(
    server: Server, reader: Person
) -> None:
    client = await asyncio.to_thread(
        Behind, server.pop3s, proxy_headers.binary(CLIENT), server.context
    )

    assert set(server.state.sessions._by_address) == {CLIENT}
    client.close()


async def test_anyone_elses_header_is_a_protocol_error(server: Server) -> None:
    def talk() -> bytes:
        address = ("127.0.0.1", server.pop3)
        with socket.create_connection(address, 20, ("127.0.0.2", 0)) as client:
            client.sendall(proxy_headers.line(CLIENT))
            lines = client.makefile("rb")
            return lines.readline() + lines.readline()

    greeting, answer = (await asyncio.to_thread(talk)).splitlines()

    assert greeting.startswith(b"+OK")
    assert answer.startswith(b"-ERR")
