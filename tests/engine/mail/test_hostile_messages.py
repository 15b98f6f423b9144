"""Input built to run indefinitely, fill memory or exhaust the stack is bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from engine.mail.address_list import addresses_in
from engine.mail.address_rewriting import rewrite
from engine.mail.header import HeaderBlock
from engine.mail.message import split, summarise
from engine.mail.mime import part_walker
from tests.engine.mail.strategies import to_community

K = 1000

LISTS = {
    "nested comments": b"(" * 100 * K,
    "nested comments, closed": b"(" * 100 * K + b")" * 100 * K + b" a@firm.example",
    "many comments": b"()" * 100 * K + b"a@firm.example",
    "quotes": b'"' * 200 * K,
    "escaped quotes": b'"\\' * 100 * K,
    "commas": b"," * 250 * K,
    "opening brackets": b"<" * 250 * K,
    "ats": b"@" * 250 * K,
    "groups": b"a:" * 120 * K,
    "addresses": b"a@firm.example," * 16 * K,
    "quoted names": b'"a\\"" <a@firm.example>,' * 10 * K,
    "words": b"a " * 120 * K,
    "square brackets": b"[a" * 120 * K,
    "dots": b"a." * 120 * K + b"@firm.example",
    "long domain": b"a@" + b"a." * 120 * K,
    "encoded words": b"=?utf-8?q?a?= " * 18 * K + b"<a@firm.example>",
    "folds": b"\r\n " * 80 * K + b"a@firm.example",
    "octets that are no text": b"\xff" * 250 * K + b"@firm.example",
    "slow domain names": ("a@" + ".".join(["\u0662" * 60] * 4) + ",").encode() * 500,
}


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * 1024 * 1024


@pytest.mark.parametrize("value", LISTS.values(), ids=LISTS)
def test_hostile_address_list(value: bytes) -> None:
    sender = summarise(HeaderBlock.parse(b"From: " + value)).from_name
    recipients = summarise(HeaderBlock.parse(b"To: " + value)).to_summary

    assert len(addresses_in(value)) <= 5000
    assert len(rewrite(value, to_community)) < 3 * len(value)
    assert len(sender) <= 200
    assert len(recipients) <= 300


MULTIPART = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
MESSAGES = {
    "multiparts in one another": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(20 * K)
    ),
    "messages in one another": b"Content-Type: message/rfc822\r\n\r\n" * 50 * K,
    "many parts": MULTIPART + b"--x\r\n\r\na\r\n" * 100 * K,
    "lines like delimiters": MULTIPART + b"--xy" * 500 * K,
    "parts of header only": MULTIPART + (b"--x\r\n" + b"a: b\r\n" * 500) * 1100,
}


@pytest.mark.parametrize("raw", MESSAGES.values(), ids=MESSAGES)
def test_hostile_message(raw: bytes) -> None:
    assert len(list(part_walker.walk(*split(raw)))) <= part_walker.MAX_PARTS

    with pytest.raises(part_walker.TooManyParts):
        list(part_walker.walk(*split(raw), strict=True))


def test_parameters_without_end() -> None:
    for tail in (b";" * 200 * K, b'; a="' + b"\\" * 200 * K, b"; *" * 60 * K):
        header = b"Content-Type: multipart/mixed" + tail + b"; boundary=x\r\n\r\n"
        assert len(list(part_walker.walk(header, b"--x\r\n\r\na\r\n--x--"))) == 1
