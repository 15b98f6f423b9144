from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pop3.dot_stuffing import DotStuffer, first_lines

pieces = st.lists(st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"x", b"..", b""]))


def stuffed(chunks: list[bytes]) -> bytes:
    stuffer = DotStuffer()
    parts = [stuffer.feed(b"+OK\r\n"), *map(stuffer.feed, chunks), stuffer.finish()]
    return b"".join(parts).removeprefix(b"+OK\r\n")


def test_lines_with_dots() -> None:
    assert stuffed([b".\r\n..\r\na.\r\n"]) == b"..\r\n...\r\na.\r\n.\r\n"


def test_nothing() -> None:
    assert stuffed([]) == b".\r\n"


def test_line_without_end_gets_one() -> None:
    assert stuffed([b"Hello"]) == b"Hello\r\n.\r\n"


@given(pieces)
def test_chunks_make_no_difference(chunks: list[bytes]) -> None:
    assert stuffed(chunks) == stuffed([b"".join(chunks)])


@given(pieces)
def test_client_reads_what_was_sent(chunks: list[bytes]) -> None:
    sent = b"".join(chunks)

    lines = stuffed(chunks).removesuffix(b".\r\n").split(b"\r\n")
    read = b"\r\n".join(line.removeprefix(b".") for line in lines)

    assert b"." not in lines
    assert read in (sent, sent + b"\r\n")


@pytest.mark.parametrize(
    ("count", "kept"),
    [
        (0, b""),
        (1, b"a\r\n"),
        (2, b"a\r\nb\r\n"),
        (3, b"a\r\nb\r\nc"),
        (9, b"a\r\nb\r\nc"),
    ],
)
def test_first_lines(count: int, kept: bytes) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b"a\r", b"\nb", b"\r\n", b"c")

    assert b"".join(first_lines(chunks(), count)) == kept
