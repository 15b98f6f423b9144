"""Which addresses are public, by IANA's registries and not by Python's."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.network import ssrf_protection
from engine.network.special_purpose_addresses import BLOCKS, Network

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "192.0.0.9",
    "192.0.0.10",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2a00:1450::1",
    "2001:1::1",
    "2001:1::3",
    "2001:3::1",
    "2001:4:112::1",
    "2001:20::1",
    "2001:30::1",
    "2001:200::1",
    "2620:4f:8000::1",
    "3ffe::1",
    # IPv6 addresses that embed a public IPv4 address
    "::ffff:8.8.8.8",
    "::8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.11",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.88.99.2",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:1::4",
    "2001:2::1",
    "2001:10::1",
    "2001:100::1",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    # Never opened, whatever the settings
    "4000::1",
    "8000::1",
    "200::1",
    # IPv6 addresses that embed a private one
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::10.0.0.1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::e000:1",
    "64:ff9b:1::808:808",
    "2002:a00:1::",
    "2002:7f00:1::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_what_the_registries_call_reachable_is_public(text: str) -> None:
    assert ssrf_protection.is_public(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_what_they_do_not_is_not(text: str) -> None:
    assert not ssrf_protection.is_public(ip_address(text))


def teredo(server: str, client: str) -> IPv6Address:
    """Returns a Teredo address: the client's IPv4 address is inverted (RFC 4380 §4)."""
    inverted = int(IPv4Address(client)) ^ 0xFFFF_FFFF
    return IPv6Address((0x20010000 << 96) | (int(IPv4Address(server)) << 64) | inverted)


@pytest.mark.parametrize(
    ("server", "client", "is_public"),
    [
        ("8.8.8.8", "1.1.1.1", True),
        ("8.8.8.8", "10.0.0.1", False),
        ("10.0.0.1", "8.8.8.8", False),
    ],
)
def test_a_tunnel_is_judged_by_both_its_ends(
    server: str, client: str, is_public: bool
) -> None:
    assert ssrf_protection.is_public(teredo(server, client)) == is_public


# Addresses that the registries call reachable, but not every supported Python.
NEWER = [
    ip_network(text)
    for text in (
        "192.0.0.9/32",
        "192.0.0.10/32",
        "2001:1::1/128",
        "2001:1::2/128",
        "2001:1::3/128",
        "2001:3::/32",
        "2001:4:112::/48",
        "2001:20::/28",
        "2001:30::/28",
    )
]


@pytest.mark.parametrize("block", [network for network, _ in BLOCKS], ids=str)
def test_nothing_at_the_edge_of_a_block_is_public_that_python_calls_private(
    block: Network,
) -> None:
    kind = type(block.network_address)
    first, last = int(block.network_address), int(block.broadcast_address)
    top = 2**block.max_prefixlen - 1
    for number in {max(first - 1, 0), first, last, min(last + 1, top)}:
        address = kind(number)
        is_newer = any(address in network for network in NEWER)
        if ssrf_protection.is_public(address) and not _embeds(address):
            assert address.is_global or is_newer, address


def _embeds(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv6Address) and (
        address.sixtofour is not None
        or address in IPv6Network("64:ff9b::/96")
        or int(address) >> 48 == 0
    )


@given(st.ip_addresses(v=4))
def test_every_way_to_write_an_address_in_ipv6_is_judged_as_the_address(
    inner: IPv4Address,
) -> None:
    number, expected = int(inner), ssrf_protection.is_public(inner)
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        assert ssrf_protection.is_public(
            IPv6Address(int(IPv6Address(prefix)) | number)
        ) == (expected)
    assert (
        ssrf_protection.is_public(IPv6Address((0x2002 << 112) | (number << 80)))
        == expected
    )
