"""Learns the clients of connections that configured load balancers pass on.

Below the protocols: the header comes before TLS and before anything is known of the client.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import cast

from engine.network.proxy_header import Endpoint, InvalidProxyHeader, parse

log = logging.getLogger(__name__)

# A balancer sends the header as soon as it has connected.
HEADER_SECONDS = 10.0
WARN_EVERY = 60.0

# Creates the protocol of a connection. The endpoint is the client's behind a balancer, and
# None where the client has connected itself.
Start = Callable[[Endpoint | None], asyncio.BaseProtocol]


@dataclass
class Balancers:
    """The load balancers of a port, whose connections must begin with a PROXY header."""

    networks: Sequence[IPv4Network | IPv6Network]
    _warned: float = float("-inf")

    def include(self, host: str) -> bool:
        """Returns whether the address is a balancer's."""
        address = ip_of(host)
        return any(address in network for network in self.networks)

    def warn(self, host: str, what: str) -> None:
        """Logs a fault of a balancer's configuration, once a minute."""
        if time.monotonic() - self._warned >= WARN_EVERY:
            self._warned = time.monotonic()
            log.warning(
                "The load balancer %s did not begin a connection with a PROXY header (%s); "
                "see POSTERN_MAIL_BALANCERS",
                host,
                what,
            )


class ProxiedConnection(asyncio.Protocol):
    """Reads a balancer's PROXY header, then hands the connection to its own protocol.

    A connection from any other address is handed over immediately, so that a header is
    data there, which the protocol refuses. A balancer that connects and closes, as health
    checks do, leaves nothing behind.
    """

    def __init__(self, start: Start, balancers: Balancers) -> None:
        self._start = start
        self._balancers = balancers
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio: waits for a header only from a balancer."""
        self._transport = cast(asyncio.Transport, transport)
        self._host = str(transport.get_extra_info("peername")[0])
        if not self._balancers.include(self._host):
            self._hand_over(None, b"")
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(HEADER_SECONDS, self._refuse, "none in time")

    def data_received(self, data: bytes) -> None:
        """Called by asyncio: hands over when the header is complete."""
        self._received += data
        try:
            header = parse(bytes(self._received))
        except InvalidProxyHeader as error:
            self._refuse(str(error))
            return
        if header is not None:
            self._stop_waiting()
            self._hand_over(header.client, bytes(self._received[header.length :]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: the balancer has hung up."""
        self._stop_waiting()

    def _refuse(self, why: str) -> None:
        self._stop_waiting()
        self._balancers.warn(self._host, why)
        self._transport.abort()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hand_over(self, client: Endpoint | None, rest: bytes) -> None:
        """Starts the connection's own protocol with what followed the header."""
        protocol = self._start(client)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if rest and not self._transport.is_closing():
            _feed(protocol, rest)


def ip_of(host: str) -> IPv4Address | IPv6Address:
    """Returns the address of a socket's peer, without a zone.

    An IPv6 socket shows IPv4 clients as ::ffff:a.b.c.d; networks are IPv4 ones. Raises
    ValueError for anything but an address.
    """
    address = ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _feed(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    """Passes octets on as a transport does. TLS reads into buffers of its own."""
    if not isinstance(protocol, asyncio.BufferedProtocol):
        cast(asyncio.Protocol, protocol).data_received(data)
        return
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]
