"""Transfer encodings, decoded in chunks."""

from __future__ import annotations

import random
import tracemalloc
from base64 import b64decode, b64encode, encodebytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.mime import transfer_encoding

MEGABYTE = 1024 * 1024
LETTERS = st.text("ABCDEFGHabcdefgh0123+/=\r\n -", max_size=200)
FILE = random.Random(7).randbytes(4 * MEGABYTE + 5)


def expected(text: str) -> bytes:
    """Decodes each run up to its padding separately and ignores other characters."""
    runs = "".join(text.split()).replace("-", "").split("=")
    whole = (run[:-1] if len(run) % 4 == 1 else run for run in runs)
    return b"".join(b64decode(run + "=" * (-len(run) % 4)) for run in whole)


@given(LETTERS)
def test_base64_is_read_on_after_padding(text: str) -> None:
    assert transfer_encoding.decode(text.encode(), "base64") == expected(text)


@pytest.mark.parametrize("shift", range(4))
def test_a_large_file_is_whole_however_its_pieces_fall(shift: int) -> None:
    written = b" " * shift + encodebytes(FILE).replace(b"\n", b"\r\n")

    assert transfer_encoding.decode(written, "base64") == FILE


def test_padding_within_a_large_file_ends_a_run() -> None:
    first, second = FILE[: 2 * MEGABYTE + 1], FILE[2 * MEGABYTE + 1 :]
    written = b64encode(first) + b"\r\n" + b64encode(second)

    assert transfer_encoding.decode(written, "base64") == FILE


def test_decoding_a_part_holds_its_octets_twice_at_most() -> None:
    source = b"header" + b64encode(FILE) + b"=" * 20
    tracemalloc.start()
    transfer_encoding.decode(source, "base64", 6, len(source) - 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2 * len(FILE) + 8 * MEGABYTE
