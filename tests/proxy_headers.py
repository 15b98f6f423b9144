"""Builds PROXY headers, as a load balancer does."""

from __future__ import annotations

from ipaddress import ip_address

from engine.network.proxy_header import SIGNATURE

LOCAL = SIGNATURE + b"\x20\x00\x00\x00"


def line(client: str, port: int = 40_000) -> bytes:
    """Returns a header of version 1."""
    family = f"TCP{ip_address(client).version}"
    return f"PROXY {family} {client} {client} {port} 25\r\n".encode()


def binary(client: str, port: int = 40_000, additions: bytes = b"") -> bytes:
    """Returns a header of version 2, with additions already encoded."""
    address = ip_address(client)
    block = address.packed * 2 + port.to_bytes(2, "big") + b"\x00\x19" + additions
    family = b"\x11" if address.version == 4 else b"\x21"
    return SIGNATURE + b"\x21" + family + len(block).to_bytes(2, "big") + block
