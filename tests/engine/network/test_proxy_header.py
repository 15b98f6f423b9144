from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.network.proxy_header import (
    LONGEST_BLOCK,
    LONGEST_LINE,
    SIGNATURE,
    InvalidProxyHeader,
    ProxyHeader,
    parse,
)
from tests import proxy_headers

ADDRESSES = st.ip_addresses().map(str).filter(lambda text: "%" not in text)
PORTS = st.integers(0, 65_535)
ADDITIONS = st.lists(
    st.tuples(st.integers(0, 255), st.binary(max_size=100)), max_size=5
).map(
    lambda found: b"".join(
        bytes([kind]) + len(value).to_bytes(2, "big") + value for kind, value in found
    )
)


@given(ADDRESSES, PORTS, ADDITIONS, st.binary(max_size=40))
def test_a_header_names_the_client_and_leaves_what_follows(
    client: str, port: int, additions: bytes, rest: bytes
) -> None:
    for header in (
        proxy_headers.line(client, port),
        proxy_headers.binary(client, port, additions),
    ):
        assert parse(header + rest) == ProxyHeader((client, port), len(header))


@given(ADDRESSES, PORTS, ADDITIONS, st.data())
def test_part_of_a_header_is_never_taken_for_the_whole(
    client: str, port: int, additions: bytes, data: st.DataObject
) -> None:
    for header in (
        proxy_headers.line(client, port),
        proxy_headers.binary(client, port, additions),
        proxy_headers.LOCAL,
    ):
        assert parse(header[: data.draw(st.integers(0, len(header) - 1))]) is None


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda rest: SIGNATURE + rest),
        st.text("PROXY TCP46UNKNOWN0123456789abcdef:.\r\n", max_size=120).map(
            lambda rest: f"PROXY {rest}".encode()
        ),
    )
)
@example(SIGNATURE + b"\x21\x11\x00\x00")
def test_any_octets_are_a_header_or_refused_or_wait_for_a_bounded_rest(
    data: bytes,
) -> None:
    try:
        header = parse(data)
    except InvalidProxyHeader:
        return
    if header is None:
        assert len(data) < LONGEST_BLOCK
        return
    # What was accepted stays the same header, whatever follows.
    assert header.length <= len(data)
    assert parse(data[: header.length]) == header
    assert parse(data[: header.length - 1]) is None


@pytest.mark.parametrize(
    "said",
    [
        b"EHLO client\r\n",
        b"\x16\x03\x01",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 25\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 +1 25\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 1 25\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25 \r\n",
        b"PROXY TCP4 192.0.2.01 192.0.2.2 1 25\r\n",
        b"PROXY TCP4 192.0.2.256 192.0.2.2 1 25\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 25\r\n",
        b"PROXY TCP6 fe80::1%eth0 fe80::2 1 25\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\n\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n",
        b"PROXY UNKNOWNS\r\n",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1 25\r\n",
        b"PROXY UNKNOWN ".ljust(LONGEST_LINE, b"x"),
        # Version 1 in binary, an unknown command, UDP, no family, too short, too long.
        SIGNATURE + b"\x11",
        SIGNATURE + b"\x22",
        SIGNATURE + b"\x21\x12\x00\x0c",
        SIGNATURE + b"\x21\x00\x00\x00",
        SIGNATURE + b"\x21\x31\x00\xd8",
        SIGNATURE + b"\x21\x11\x00\x0b",
        SIGNATURE + b"\x21\x21\x00\x0c",
        SIGNATURE + b"\x20\x00\xff\xff",
        # An addition that claims more than there is, and one without its length.
        proxy_headers.binary("192.0.2.1", additions=b"\x04\x00\x09x"),
        proxy_headers.binary("192.0.2.1", additions=b"\x04\x00"),
    ],
)
def test_what_is_no_header_is_refused(said: bytes) -> None:
    with pytest.raises(InvalidProxyHeader):
        parse(said)


@pytest.mark.parametrize(
    "said",
    [
        proxy_headers.LOCAL,
        SIGNATURE + b"\x20\x11\x00\x0c" + bytes(12),
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
    ],
)
def test_a_balancer_speaks_for_itself(said: bytes) -> None:
    assert parse(said + b"EHLO check\r\n") == ProxyHeader(None, len(said))
