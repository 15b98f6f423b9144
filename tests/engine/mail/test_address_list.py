from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress, addresses_in, strict_addresses_in
from engine.mail.address_rewriting import rewrite
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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"jane@firm.example", [("", "jane@firm.example")]),
        (b"Jane Doe <jane@firm.example>", [("Jane Doe", "jane@firm.example")]),
        (b'"Doe, Jane" <jane@firm.example>', [("Doe, Jane", "jane@firm.example")]),
        (b'"J \\"x\\" D" <jane@firm.example>', [('J "x" D', "jane@firm.example")]),
        (b"=?utf-8?q?J=C3=A4ne?= <jane@firm.example>", [("Jäne", "jane@firm.example")]),
        (b"jane@firm.example (Jane (her) Doe)", [("Jane (her) Doe", "jane@firm.example")]),
        (b"<jane@firm.example>,,bob@x.example;", [("", "jane@firm.example"), ("", "bob@x.example")]),
        (b"Team: jane@firm.example, Bob <bob@x.example>;", [("", "jane@firm.example"), ("Bob", "bob@x.example")]),
        (b"undisclosed-recipients:;", []),
        (b"(c) jane (c) @ (c) firm . (c) example (c)", [("c", "jane@firm.example")]),
        (b'Jane\r\n Doe <"a b"@firm.example>', [("Jane Doe", '"a b"@firm.example')]),
        (b"[EXT] Jane <jane@firm.example>", [("[EXT] Jane", "jane@firm.example")]),
        ("Jäne <jänner@bücher.example>".encode(), [("Jäne", "jänner@xn--bcher-kva.example")]),
        (b"\xff <jane@firm.example>", [("ÿ", "jane@firm.example")]),
        (b"", []),
    ],
)  # fmt: skip
def test_addresses_in(value: bytes, expected: list[tuple[str, str]]) -> None:
    found = [(named.name, str(named.address)) for named in addresses_in(value)]

    assert found == expected
    if expected:
        assert addresses_in(value) == strict_addresses_in(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"undisclosed-recipients:;",
        b"jane",
        b"<>",
        b"<@>",
        b"jane@firm.example, bob",
        b"<jane@firm.example> <ceo@other.example>",
        b"ceo@other.example <jane@firm.example>",
        b"<jane@firm.example> ceo@other.example",
        b"jane@firm.example]<ceo@other.example>",
        b"jane@firm.example ceo@other.example",
        b"<ceo@other.example, jane@firm.example",
        b"<@relay.example:jane@firm.example>",
        b"<mailto:jane@firm.example>",
        b"ceo@other.example: jane@firm.example;",
        b'"ceo@other.example <jane@firm.example>',
        b"jane@firm.example (ceo",
        b"jane@firm.example)",
        b"jane @firm.example, ceo other@firm.example",
        b"jane@firm.example\\",
        b"\xff@firm.example",
        b"a@b.example," * 5001,
        b"jane@firm.example, " + b"x " * 2000,
    ],
)
def test_strict_list_refuses_what_others_may_read_otherwise(value: bytes) -> None:
    with pytest.raises(InvalidAddressError):
        strict_addresses_in(value)


def test_strict_list_accepts_the_address_as_its_own_name() -> None:
    value = b"Jane@firm.example <jane@firm.example>"

    assert [str(n.address) for n in strict_addresses_in(value)] == ["jane@firm.example"]


def test_rewrite_keeps_everything_but_the_domain() -> None:
    value = (
        b' "jane@firm.example" (of firm.example) <jane@FIRM.example>,\r\n'
        b"\t=?utf-8?q?firm=2Eexample?= <bob@org.example> , Team: x@other.example,\r\n"
        b" <(c)y(d)@(e)firm.(f)\r\n example(g)>;"
    )

    assert rewrite(value, to_community) == (
        b' "jane@firm.example" (of firm.example) <jane@firm.example.secure.example>,\r\n'
        b"\t=?utf-8?q?firm=2Eexample?= <bob@org.secure.example> , Team: x@other.example,\r\n"
        b" <(c)y(d)@(e)firm.example.secure.example(f)\r\n (g)>;"
    )


def test_rewrite_of_the_local_part() -> None:
    new = Address("jane doe", "other.example")

    assert rewrite(b"J <j.(c)d@firm.example>", lambda _: new) == (
        b'J <"jane doe"(c)@other.example>'
    )


def test_rewrite_leaves_an_address_that_would_be_too_long() -> None:
    value = b"<" + b"a" * 64 + b"@" + b".".join([b"b" * 59] * 3) + b">"

    assert (
        rewrite(value, lambda address: address.at(address.domain + ".secure.example"))
        == value
    )


@pytest.mark.parametrize("separator", [b", ", b",", b",\t", b" , "])
def test_rewrite_folds_a_line_that_becomes_too_long(separator: bytes) -> None:
    value = b" " + separator.join([b"jane@firm.example"] * 45)

    rewritten = rewrite(value, to_community)

    assert max(map(len, rewritten.split(b"\r\n"))) <= 998
    assert [line for line in rewritten.split(b"\r\n") if not line.strip()] == []
    assert len(addresses_in(rewritten)) == 45
    assert rewrite(rewritten, to_community) == rewritten


@given(address_lists)
def test_rewrite_changes_only_mapped_domains(elements: list[Written]) -> None:
    value = lists(elements, {})

    assert rewrite(value, to_community) == lists(elements, TO_COMMUNITY)
    assert rewrite(value, to_member) == lists(elements, TO_MEMBER)
    assert rewrite(value, lambda _: None) == value


@given(address_lists)
def test_rewrite_is_idempotent(elements: list[Written]) -> None:
    once = rewrite(lists(elements, {}), to_community)

    assert rewrite(once, to_community) == once


@given(address_lists)
def test_rewrite_round_trip(elements: list[Written]) -> None:
    # Without community addresses of the domains that will be mapped, which no sender
    # writes.
    value = lists(elements, TO_MEMBER)

    assert rewrite(rewrite(value, to_community), to_member) == value


@given(address_lists)
def test_every_address_is_found(elements: list[Written]) -> None:
    found = [named.address for named in addresses_in(lists(elements, {}))]

    assert found == [
        Address.parse(f"{element.local}@{element.domain}") for element in elements
    ]


@given(address_lists)
def test_unfolding_changes_no_address(elements: list[Written]) -> None:
    value = lists(elements, {})

    assert addresses_in(value.replace(b"\r\n", b"")) == addresses_in(value)


pieces = st.one_of(
    st.sampled_from('<>@,;:."()\\[] \t\udcffaé'),
    st.sampled_from(["\r\n ", "firm.example", "org.example", "jane@firm.example"]),
    st.sampled_from(["<bob@org.example>", '"x y"', "=?utf-8?q?a?="]),
)
anything = st.lists(pieces, max_size=30).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogateescape")
)


@given(anything)
def test_rewrite_of_anything_agrees_with_what_is_found(value: bytes) -> None:
    rewritten = rewrite(value, to_community)

    before = [to_community(named.address) for named in addresses_in(value)]
    assert [named.address for named in addresses_in(rewritten)] == before
    assert rewrite(rewritten, to_community) == rewritten


@given(anything)
def test_unfolding_of_anything_changes_no_address(value: bytes) -> None:
    # The header is checked unfolded and rewritten folded.
    found = [named.address for named in addresses_in(value)]

    assert [n.address for n in addresses_in(value.replace(b"\r\n", b""))] == found


def test_unfolding_changes_no_quoted_address() -> None:
    value = b'"a\r\n b"@firm.example, [x\r\n <] y@firm.example'

    assert addresses_in(value) == addresses_in(value.replace(b"\r\n", b""))
    assert b"firm.example.secure.example, [x" in rewrite(value, to_community)


@given(anything)
def test_comment_changes_no_address(value: bytes) -> None:
    # The scanner handles a list with a comment differently from one without.
    found = [named.address for named in addresses_in(value)]

    assert [named.address for named in addresses_in(b"()" + value)] == found


@given(st.text(max_size=80))
def test_named_address_is_one_address_whatever_the_name(name: str) -> None:
    named = NamedAddress(name, Address("jane", "firm.example"))

    raw = f"From: {named}\r\n".encode()
    field = HeaderBlock.parse(raw).fields[0]

    assert len(HeaderBlock.parse(raw).fields) == 1
    assert [n.address for n in strict_addresses_in(field.value)] == [named.address]


def test_named_address_keeps_its_name() -> None:
    for name in (
        "Jane Doe",
        "Doe, Jane",
        'J "x" \\ D',
        "Jäne",
        "=?utf-8?q?a?=",
        "a.b",
        "",
    ):
        named = NamedAddress(name, Address("jane", "firm.example"))
        assert addresses_in(str(named).encode()) == [named]
