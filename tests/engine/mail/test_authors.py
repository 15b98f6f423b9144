from __future__ import annotations

import pytest

from engine.mail.address import Address
from engine.mail.authors import authors
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
