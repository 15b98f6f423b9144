from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.mail.address import Address, InvalidAddressError
from tests.engine.mail.strategies import domains, locals_


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("jane@firm.example", "jane", "firm.example"),
        ("Jane.Doe+Tag@FIRM.Example", "Jane.Doe+Tag", "firm.example"),
        ('"jane"@firm.example', "jane", "firm.example"),
        ('"jane doe"@firm.example', "jane doe", "firm.example"),
        ('"a\\"b\\\\@c"@firm.example', 'a"b\\@c', "firm.example"),
        ("jänner@bücher.example", "jänner", "xn--bcher-kva.example"),
        ("jane@BÜCHER.example", "jane", "xn--bcher-kva.example"),
        ("jane@xn--bcher-kva.example", "jane", "xn--bcher-kva.example"),
        ("jane@localhost", "jane", "localhost"),
        ("a@" + "b" * 63 + ".example", "a", "b" * 63 + ".example"),
        ("x" * 64 + "@firm.example", "x" * 64, "firm.example"),
    ],
)
def test_address_that_is_valid(text: str, local: str, domain: str) -> None:
    address = Address.parse(text)

    assert (address.local, address.domain) == (local, domain)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jane",
        "@firm.example",
        "jane@",
        "jane@@firm.example",
        "jane@firm@firm.example",
        " jane@firm.example",
        "jane@firm.example ",
        "jane@firm.example\r\n",
        "jane\r\n@firm.example",
        "jane\0@firm.example",
        "<jane@firm.example>",
        "jane (her) <jane@firm.example>",
        "jane(her)@firm.example",
        "@relay.example:jane@firm.example",
        "jane doe@firm.example",
        ".jane@firm.example",
        "jane.@firm.example",
        "ja..ne@firm.example",
        '"jane@firm.example',
        'ja"ne@firm.example',
        '""@firm.example',
        '"a\nb"@firm.example',
        '"a\tb"@firm.example',
        "jane@[127.0.0.1]",
        "jane@127.0.0.1",
        "jane@firm.example.",
        "jane@.firm.example",
        "jane@firm..example",
        "jane@-firm.example",
        "jane@firm-.example",
        "jane@fi_rm.example",
        "jane@firm.exam ple",
        "jane@xn--a.example",
        "jane@xn--.example",
        "a@" + "b" * 64 + ".example",
        "x" * 65 + "@firm.example",
        "é" * 33 + "@firm.example",
        "a@" + ".".join(["b" * 62] * 4) + ".example",
        "\ud800@firm.example",
        "jane@\ud800.example",
        "ja\u202ene@firm.example",
        "ja\u00a0ne@firm.example",
        "ja\x80ne@firm.example",
        "jane\uff20firm.example",
        "jane@firm\uff20other.example",
        "a@" + "\u0662" * 200,
        "a" * 1_000_000,
    ],
)
def test_address_that_is_not_valid(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        Address.parse(text)


def test_address_made_of_bad_parts() -> None:
    for local, domain in [
        ("a\r\nb", "x.example"),
        ("a", "X.example"),
        ("", "x.example"),
    ]:
        with pytest.raises(InvalidAddressError):
            Address(local, domain)


def test_whole_address_of_254_octets() -> None:
    domain = ".".join(["b" * 61] * 3 + ["example"])
    room = 254 - len(domain) - 1

    assert len(str(Address.parse("a" * room + "@" + domain))) == 254
    with pytest.raises(InvalidAddressError):
        Address.parse("a" * (room + 1) + "@" + domain)


def test_suffix_counts_towards_the_length() -> None:
    address = Address("a" * 64, ".".join(["b" * 59] * 3))

    with pytest.raises(InvalidAddressError):
        address.at(address.domain + ".secure.example")


def test_key_is_the_same_for_every_spelling() -> None:
    spellings = ["Jane@Firm.example", '"jane"@firm.EXAMPLE', "JANE@firm.example"]

    assert {Address.parse(text).key for text in spellings} == {"jane@firm.example"}


def test_key_is_the_same_for_composed_and_combining_letters() -> None:
    composed, combining = "J\u00e4nner@firm.example", "ja\u0308nner@firm.example"

    assert Address.parse(composed).key == Address.parse(combining).key


def test_key_keeps_the_quotes_that_are_needed() -> None:
    assert Address.parse('"Jane Doe"@firm.example').key == '"jane doe"@firm.example'


@given(st.tuples(locals_, domains).map("@".join))
def test_address_round_trip(text: str) -> None:
    address = Address.parse(text)

    assert Address.parse(str(address)) == address
    assert Address.parse(address.key).key == address.key
    assert address.at("other.example").at(address.domain) == address


@given(st.text(min_size=1, max_size=64), domains)
def test_any_local_part_is_refused_or_safe_to_write(local: str, domain: str) -> None:
    try:
        address = Address(local, domain)
    except InvalidAddressError:
        assume(False)

    assert Address.parse(str(address)) == address
    assert str(address).isprintable()


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = Address.parse(text)
    except InvalidAddressError:
        return

    assert Address.parse(str(address)) == address
    assert address.domain.isascii()
