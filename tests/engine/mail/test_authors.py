from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address
from engine.mail.authors import (
    MAX_CLAIMS,
    Claim,
    authors,
    claims_in,
    named_authors,
    resenders,
)
from engine.mail.header import HeaderBlock, MalformedHeader

JANE, BOB = Address("jane", "firm.example"), Address("bob", "firm.example")


def test_authors_are_all_in_from_and_sender() -> None:
    header = HeaderBlock.parse(
        b"From: Jane <jane@firm.example>, bob@firm.example\r\nSender: bob@firm.example\r\n"
    )

    assert authors(header) == [JANE, BOB, BOB]


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: nobody\r\n",
        b"From:\r\n",
        b"From: Jane\r\n",
        b"From: jane@firm.example\r\nFrom: bob@firm.example\r\n",
        b"From: jane@firm.example\r\nfrom : bob@firm.example\r\n",
        b"From: jane@firm.example, Chief ceo@other.example\r\n",
        b"From: ceo@other.example <jane@firm.example>\r\n",
        b"From: jane@firm.example\r\nSender: x\r\n",
        b"From: jane@firm.example\r\nSender: bob@firm.example\r\nSENDER: x@y.example\r\n",
    ],
)
def test_authors_that_others_may_read_otherwise(raw: bytes) -> None:
    with pytest.raises(MalformedHeader):
        authors(HeaderBlock.parse(raw))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"Subject: nobody\r\n", "The header has no From*"),
        (b"From: a@x.example\r\n" * 2, "The header has 2 fields From, not one"),
        (
            b"From: a@x.example\r\n" + b"SENDER: a@x.example\r\n" * 3,
            "The header has 3 fields SENDER, not one",
        ),
        (b"From:\r\n", "From is not a list of addresses: it holds no address"),
        (
            b"From: jane@firm.example\r\nSender: Jane\r\n",
            'Sender is not a list of addresses: "Jane" is no address; write Name <*>',
        ),
        (
            b"From: jane@firm.example,\r\n Chief ceo@other.example\r\n",
            'From *: "Chief ceo@other.example" *',
        ),
        (
            b"From: ceo@other.example <jane@firm.example>\r\n",
            'From *"ceo@other.example <jane@firm.example>" could be *quotation marks *',
        ),
        (b'From: "\xc3\xa9\x01' + b"x" * 5_000, "From *: \"'???" + "x" * 36 + '..." *'),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_authors_that_are_no_addresses_are_named(raw: bytes, said: str) -> None:
    with pytest.raises(MalformedHeader) as refused:
        authors(HeaderBlock.parse(raw))

    assert fnmatchcase(refused.value.reply.text, said), refused.value.reply.text


def test_a_resender_that_is_no_address_is_named() -> None:
    header = HeaderBlock.parse(b"From: jane@firm.example\r\nResent-Sender: Jane\r\n")

    with pytest.raises(MalformedHeader, match="Resent-Sender is not a list"):
        resenders(header)


CHIEF = Claim("ceo", "other.example", is_certain=True)


@pytest.mark.parametrize(
    "name",
    [
        "ceo@other.example",
        "Chief (CEO@Other.Example)",
        "Chief <ceo@other.example>",
        "ceo\uff20other.example",
        "ceo\ufe6bother\uff0eexample",
        "ceo\u200b@other\u3002example",
        "x@ceo@other.example@",
        "ceo@other.example.",
        "'ceo@other.example'",
        "ceo @ other.example",
        "ceo @\u3000other.example",
        "ceo (at) other.example",
        "ceo [at] other [dot] example",
        "ceo \u24d0 other.example",
        "\u0441\u0435o@\u043ether.example",
        "ce\u00ado@o\u034fther.ex\U000e0061ample",
        "\u202eceo@other.example\u202c",
        "ce\u0301o@o\u0308ther.example",
        "\U0001d41c\U0001d41e\U0001d428@other.example",
    ],
)
def test_an_address_in_a_name_is_found_however_it_is_made(name: str) -> None:
    assert CHIEF in list(claims_in(name))


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("ceo at other.example", "other.example"),
        ("ceo at other dot example", "other.example"),
        ("ceo @ other . example", "other.example"),
        ("Reception @ Other", "other"),
    ],
)
def test_words_that_may_be_an_address(name: str, domain: str) -> None:
    found = {claim.domain: claim.is_certain for claim in claims_in(name)}

    assert found[domain] is False


@pytest.mark.parametrize(
    "name",
    ["Jane Smith", "", "Smith, Jane", "@", "Jane Smith at Firm", "Miss Dot Hill"],
)
def test_a_name_that_holds_no_address(name: str) -> None:
    assert not list(claims_in(name))


@pytest.mark.parametrize("name", ["Jane @ Firm", "a@ b@@c", "J. Hill @ St. Mary's"])
def test_a_name_that_holds_none_for_certain(name: str) -> None:
    assert not [claim for claim in claims_in(name) if claim.is_certain]


@pytest.mark.parametrize(
    "written",
    [
        "From: Chief <jane@firm.example>",
        "From: =?utf-8?q?Chief?= <jane@firm.example>",
        "From: jane@firm.example (Chief)",
        "From: jane@firm.example\r\nSender: Chief <jane@firm.example>",
        "From: jane@firm.example\r\nReply-To: =?utf-8?b?Q2hpZWY=?= <j@firm.example>",
        "From: jane@firm.example\r\nResent-From: Chief <jane@firm.example>",
        "From: jane@firm.example\r\nresent-sender: Chief <jane@firm.example>",
    ],
)
def test_every_name_by_which_the_sender_goes_is_looked_at(written: str) -> None:
    found = named_authors(HeaderBlock.parse(f"{written}\r\n".encode()))

    assert "Chief" in [named.name for named in found]


def test_the_resender_is_named() -> None:
    header = HeaderBlock.parse(
        b"From: b@firm.example\r\nResent-From: b@firm.example\r\n"
        b"Resent-From: ceo@other.example\r\n"
    )

    assert Address("ceo", "other.example") in resenders(header)


@pytest.mark.parametrize(
    "raw",
    [
        b'From: "' + b"a@b.example " * (MAX_CLAIMS + 1) + b'" <jane@firm.example>\r\n',
        b"From: jane@firm.example\r\nResent-From: ceo@other.example <x@firm.example>\r\n",
    ],
)
def test_names_that_are_too_many_or_too_odd(raw: bytes) -> None:
    with pytest.raises(MalformedHeader):
        named_authors(HeaderBlock.parse(raw))


@given(st.text(max_size=300))
def test_no_name_breaks_the_search_for_addresses(name: str) -> None:
    for claim in claims_in(name):
        assert len(str(claim)) <= 650
