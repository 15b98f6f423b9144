from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.smtp.data_reader import DataReader

LINES = st.lists(
    st.text(st.sampled_from("abc. \t"), max_size=12).map(str.encode), max_size=12
)


def read(wire: bytes, cuts: list[int]) -> tuple[bytes, DataReader]:
    """Feeds `wire`, cut at these positions as a network might cut it."""
    reader, content, start = DataReader(), b"", 0
    for cut in [*sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]:
        if reader.is_done:
            reader.rest += wire[start:cut]
        else:
            content += reader.feed(wire[start:cut])
        start = cut
    return content, reader


@given(LINES, st.binary(max_size=20), st.lists(st.integers(0, 500), max_size=8))
def test_data_comes_out_as_it_went_in_wherever_the_network_cuts(
    lines: list[bytes], ahead: bytes, cuts: list[int]
) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    stuffed = b"".join(
        (b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines
    )

    got, reader = read(stuffed + b".\r\n" + ahead, cuts)

    assert reader.is_done
    assert got == content
    assert reader.rest == ahead
    assert not reader.has_bare_newline


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\r\n\x00.\r\n"]
)
def test_data_goes_on_when_the_dot_does_not_stand_between_true_line_ends(
    end: bytes,
) -> None:
    got, reader = read(b"one" + end + b"two\r\n.\r\n", [])

    assert reader.rest == b""
    assert b"two" in got


@given(st.integers(0, 30), st.lists(st.integers(0, 60), max_size=6))
def test_a_nul_is_noticed_wherever_the_network_cuts(
    place: int, cuts: list[int]
) -> None:
    content = b"a.b\r\n" * 6

    wire = content[:place] + b"\0" + content[place:]
    _, with_nul = read(wire + b"\r\n.\r\n", cuts)
    _, without = read(content + b"\r\n.\r\n", cuts)

    assert with_nul.has_nul
    assert not without.has_nul


@given(st.binary(max_size=40), st.lists(st.integers(0, 60), max_size=6))
def test_a_newline_that_stands_alone_is_noticed_wherever_the_network_cuts(
    noise: bytes, cuts: list[int]
) -> None:
    wire = noise + b"\r\n.\r\n"
    content = (b"\r\n" + noise).partition(b"\r\n.\r\n")[0]
    is_bare = content.replace(b"\r\n", b"") != content.replace(b"\r\n", b"").replace(
        b"\r", b""
    ).replace(b"\n", b"")

    _, reader = read(wire, cuts)

    assert reader.has_bare_newline == is_bare


def test_an_empty_message_ends_at_once() -> None:
    got, reader = read(b".\r\nQUIT\r\n", [])

    assert (got, reader.rest) == (b"", b"QUIT\r\n")
