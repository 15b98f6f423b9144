"""Parses PROXY headers, by which a load balancer says whose connection it passes on.

Versions 1 and 2 of HAProxy's specification, "The PROXY protocol" (2020/03/05). The header
comes before everything else on a connection, TLS included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
# Signature, version with command, family with protocol, length (§2.2).
FIXED_OCTETS = 16
# Addresses and what a balancer adds to them. The specification allows 65,535 octets; real
# headers stay below 1,000, and we hold each until it is complete.
LONGEST_BLOCK = 4_096
# A line of version 1 with its CRLF (§2.1).
LONGEST_LINE = 107

LOCAL, PROXY = 0x20, 0x21
# TCP over IPv4 and over IPv6, with the octets of two addresses and two ports.
_IPV4, _IPV6 = 0x11, 0x21
_ADDRESS_OCTETS = {_IPV4: 12, _IPV6: 36}
_PORT = r"(0|[1-9][0-9]{0,4})"
_LINE = re.compile(
    rf"PROXY (TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) {_PORT} {_PORT}"
)

# IP address and port.
Endpoint = tuple[str, int]


class InvalidProxyHeader(ValueError):
    """What arrived first on the connection is no PROXY header, or a malformed one."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A complete header of `length` octets.

    `client` is None where the balancer speaks for itself, as in a health check.
    """

    client: Endpoint | None
    length: int


def parse(data: bytes) -> ProxyHeader | None:
    """Returns the header that `data` begins with, or None while it is incomplete.

    Raises InvalidProxyHeader as soon as `data` cannot become a header.
    """
    if SIGNATURE.startswith(data[: len(SIGNATURE)]):
        return _parse_binary(data)
    if b"PROXY ".startswith(data[:6]):
        return _parse_line(data)
    raise InvalidProxyHeader("no PROXY header")


def _parse_line(data: bytes) -> ProxyHeader | None:
    """Parses version 1: one line of ASCII."""
    line, end, _ = data[:LONGEST_LINE].partition(b"\r\n")
    if not end:
        if len(data) >= LONGEST_LINE:
            raise InvalidProxyHeader("the line is too long")
        return None
    length = len(line) + len(end)
    # After UNKNOWN everything up to the end of the line is ignored (§2.1).
    if line == b"PROXY UNKNOWN" or line.startswith(b"PROXY UNKNOWN "):
        return ProxyHeader(None, length)
    found = _LINE.fullmatch(line.decode("latin-1"))
    if found is None:
        raise InvalidProxyHeader("a malformed line")
    family, source, target, *ports = found.groups()
    kind = IPv4Address if family == "TCP4" else IPv6Address
    try:
        client, _ = kind(source), kind(target)
    except ValueError as error:
        raise InvalidProxyHeader(str(error)) from error
    if any(int(port) > 65_535 for port in ports):
        raise InvalidProxyHeader("a port above 65535")
    return ProxyHeader((str(client), int(ports[0])), length)


def _parse_binary(data: bytes) -> ProxyHeader | None:
    """Parses version 2."""
    if len(data) > 12 and data[12] not in (LOCAL, PROXY):
        raise InvalidProxyHeader("an unknown version or command")
    if len(data) < FIXED_OCTETS:
        return None
    size = int.from_bytes(data[14:16], "big")
    if size > LONGEST_BLOCK:
        raise InvalidProxyHeader("the header is too long")
    length = FIXED_OCTETS + size
    if data[12] == PROXY and size < _ADDRESS_OCTETS.get(data[13], LONGEST_BLOCK + 1):
        raise InvalidProxyHeader("no TCP addresses")
    if len(data) < length:
        return None
    if data[12] == LOCAL:
        # Family and addresses are to be ignored (§2.2).
        return ProxyHeader(None, length)
    return ProxyHeader(_client(data[13], data[FIXED_OCTETS:length]), length)


def _client(family: int, block: bytes) -> Endpoint:
    """Returns the source of the connection: addresses, then ports, then additions."""
    octets = _ADDRESS_OCTETS[family]
    _check_additions(block[octets:])
    address: IPv4Address | IPv6Address
    if family == _IPV4:
        address = IPv4Address(block[:4])
    else:
        address = IPv6Address(block[:16])
    return str(address), int.from_bytes(block[octets - 4 : octets - 2], "big")


def _check_additions(rest: bytes) -> None:
    """Checks that type, length and value follow each other exactly (§2.2.1)."""
    while rest:
        size = 3 + int.from_bytes(rest[1:3], "big")
        if len(rest) < size:
            raise InvalidProxyHeader("an incomplete addition")
        rest = rest[size:]
