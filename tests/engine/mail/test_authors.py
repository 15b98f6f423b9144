from __future__ import annotations

import pytest

from engine.mail.address import Address
from engine.mail.authors import MAX_CLAIMS, authors, claims
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


CHIEF = Address("ceo", "other.example")


@pytest.mark.parametrize(
    "written",
    [
        'From: "ceo@other.example" <jane@firm.example>',
        'From: "Chief (CEO@Other.Example)" <jane@firm.example>',
        "From: =?utf-8?q?Chief_=3Cceo=40other=2Eexample=3E?= <jane@firm.example>",
        'From: "=?utf-8?b?Y2VvQG90aGVyLmV4YW1wbGU=?=" <jane@firm.example>',
        "From: jane@firm.example (ceo@other.example)",
        'From: "ceo\uff20other.example" <jane@firm.example>',
        'From: "ceo\u200b@other\u3002example" <jane@firm.example>',
        'From: "x@ceo@other.example@" <jane@firm.example>',
        'From: "ceo@other.example." <jane@firm.example>',
        "From: jane@firm.example\r\nSender: \"'ceo@other.example'\" <j@firm.example>",
        "From: jane@firm.example\r\nResent-From: Chief <ceo@other.example>",
        "From: jane@firm.example\r\nresent-sender: ceo@other.example",
        "From: b@firm.example\r\nResent-From: b@firm.example\r\nResent-From: ceo@other.example",
    ],
)
def test_an_address_that_only_seems_to_be_the_senders(written: str) -> None:
    assert CHIEF in [
        Address(found.local.lower(), found.domain)
        for found in claims(HeaderBlock.parse(f"{written}\r\n".encode()))
    ]


@pytest.mark.parametrize(
    "name", ["Jane Smith", "", '"Smith, Jane"', '"Jane @ Firm"', '"@"', '"a@ b@@c"']
)
def test_a_name_that_holds_no_address(name: str) -> None:
    header = HeaderBlock.parse(f"From: {name} <jane@firm.example>\r\n".encode())

    assert claims(header) == []


@pytest.mark.parametrize(
    "raw",
    [
        b'From: "' + b"a@b.example " * (MAX_CLAIMS + 1) + b'" <jane@firm.example>\r\n',
        b"From: jane@firm.example\r\nResent-From: ceo@other.example <x@firm.example>\r\n",
    ],
)
def test_claims_that_are_too_many_or_too_odd(raw: bytes) -> None:
    with pytest.raises(MalformedHeader):
        claims(HeaderBlock.parse(raw))
