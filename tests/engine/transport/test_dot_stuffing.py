from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from engine.transport.dot_stuffing import on_the_wire

PIECES = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"", b"bc."])
)


def sent(*chunks):
    return b"".join(on_the_wire(chunks))


def test_dots_at_the_start_of_lines_are_doubled():
    assert sent(b".a\r\n..b\r\nc.\r\n") == b"..a\r\n...b\r\nc.\r\n.\r\n"


def test_line_end_split_between_chunks_stays_whole():
    assert sent(b"a\r", b"\n.", b"b\r\n") == b"a\r\n..b\r\n.\r\n"


def test_last_line_gets_its_end():
    assert sent(b"a") == b"a\r\n.\r\n"


def test_smuggled_end_of_data_is_defused():
    wire = sent(b"a\n.\nMAIL FROM:<evil@example.org>\r\n")

    assert wire == b"a\r\n..\r\nMAIL FROM:<evil@example.org>\r\n.\r\n"


@given(PIECES)
def test_server_reads_one_whole_message_whatever_is_sent(pieces):
    raw = b"".join(pieces)

    heard = b"\r\n" + sent(*pieces)  # after the line end of DATA

    body, end, rest = heard.partition(b"\r\n.\r\n")
    expected = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    if expected and not expected.endswith(b"\r\n"):
        expected += b"\r\n"
    assert (end, rest) == (b"\r\n.\r\n", b"")
    assert sent(raw) == sent(*pieces)
    assert re.sub(rb"(?m)^\.", b"", body) + b"\r\n" == b"\r\n" + expected
