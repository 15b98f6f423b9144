from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address_rewriting import MAX_LINE_OCTETS, rewrite, rewrite_header
from engine.mail.header import HeaderBlock
from tests.engine.mail.strategies import (
    TO_COMMUNITY,
    TO_MEMBER,
    Written,
    address_lists,
    lists,
    to_community,
    to_member,
)

MAPPED = [
    "From", "Sender", "REPLY-TO", "To", "cc", "Resent-From", "Resent-Sender",
    "Resent-To", "Resent-Cc", "Disposition-Notification-To", "Return-Receipt-To",
    "Mail-Followup-To", "MAIL-REPLY-TO",
]  # fmt: skip
OTHERS = ["Subject", "Message-ID", "References", "Received", "X-From", "Return-Path"]

named_lists = st.lists(
    st.tuples(st.sampled_from([*MAPPED, *OTHERS, "Resent-Message-ID"]), address_lists),
    min_size=1,
    max_size=5,
)


def header(
    fields: list[tuple[str, list[Written]]], mapping: dict[str, str]
) -> HeaderBlock:
    raw = b"".join(
        name.encode()
        + b": "
        + lists(elements, mapping if name in MAPPED else {})
        + b"\r\n"
        for name, elements in fields
    )
    return HeaderBlock.parse(raw)


@given(named_lists)
def test_rewrite_header_maps_only_the_fields_of_addresses(
    fields: list[tuple[str, list[Written]]],
) -> None:
    rewritten = rewrite_header(header(fields, {}), to_community)

    assert rewritten.to_bytes() == header(fields, TO_COMMUNITY).to_bytes()


@given(named_lists)
def test_rewrite_header_is_idempotent(fields: list[tuple[str, list[Written]]]) -> None:
    once = rewrite_header(header(fields, {}), to_community)

    assert rewrite_header(once, to_community) == once


@given(named_lists)
def test_rewrite_header_round_trip(fields: list[tuple[str, list[Written]]]) -> None:
    original = header(fields, TO_MEMBER)

    there = rewrite_header(original, to_community)

    assert rewrite_header(there, to_member).to_bytes() == original.to_bytes()


def test_rewrite_header_never_touches_what_it_does_not_map() -> None:
    raw = b"From:jane@firm.example\r\nTo : \r\nTO:\t(x)\r\nCc: <<<\xff\r\n\r\n"

    assert rewrite_header(HeaderBlock.parse(raw), lambda _: None).to_bytes() == raw
    assert rewrite_header(
        HeaderBlock.parse(raw), to_community
    ).to_bytes() == raw.replace(b"firm.example", b"firm.example.secure.example")


@pytest.mark.parametrize(
    "name",
    [
        "From",
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Resent-From",
        "Resent-Sender",
        "Resent-Reply-To",
        "Resent-To",
        "Resent-Cc",
        "Resent-Bcc",
    ],
)
def test_each_field_of_addresses_is_mapped(name: str) -> None:
    raw = f"{name}: Jane <jane@firm.example>\r\n\r\n".encode()

    rewritten = rewrite_header(HeaderBlock.parse(raw), to_community)

    assert rewritten.to_bytes() == raw.replace(
        b"firm.example", b"firm.example.secure.example"
    )


def test_a_long_line_without_an_address_to_map_stays_as_it_is() -> None:
    value = b" " + b", ".join([b"joe@other.example"] * 80)

    assert rewrite(value, to_community) == value


def test_a_line_that_becomes_too_long_is_folded_at_each_address() -> None:
    value = b", ".join([b"jane@firm.example"] * 50)

    rewritten = rewrite(value, to_community)

    assert rewritten.replace(b"\r\n", b"") == value.replace(
        b"firm.example", b"firm.example.secure.example"
    )
    assert max(map(len, rewritten.split(b"\r\n"))) <= MAX_LINE_OCTETS
    assert len(rewritten.split(b"\r\n")) == 50
