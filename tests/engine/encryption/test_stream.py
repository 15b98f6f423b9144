from __future__ import annotations

import io
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.encryption import stream
from engine.encryption.errors import TamperedError
from engine.encryption.stream import CHUNK

KEY = bytes(range(32))
SEALED_CHUNK = CHUNK + 16
HEAD = 8
EDGES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]


def data_of(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def sealed_of(size: int) -> bytes:
    return stream.encrypt(KEY, data_of(size), purpose=b"body")


def chunks_of(sealed: bytes) -> list[bytes]:
    rest = sealed[HEAD:]
    return [
        rest[start : start + SEALED_CHUNK]
        for start in range(0, len(rest), SEALED_CHUNK)
    ]


@pytest.mark.parametrize("size", EDGES)
def test_what_is_encrypted_is_decrypted(size: int) -> None:
    sealed = sealed_of(size)

    assert stream.decrypt(KEY, sealed, purpose=b"body") == data_of(size)
    assert data_of(size)[:16] not in sealed or size < 16


@given(data=st.binary(max_size=300), reads=st.lists(st.integers(1, 50), min_size=1))
@settings(max_examples=50)
def test_a_file_is_read_in_any_pieces(data: bytes, reads: list[int]) -> None:
    sealed = io.BytesIO(stream.encrypt(KEY, data, purpose=b"body"))
    opened = io.BufferedReader(stream.Decrypted(KEY, sealed, purpose=b"body"))

    pieces = [opened.read(size) for size in reads]

    assert b"".join(pieces) + opened.read() == data
    opened.seek(0)
    assert opened.read() == data


@pytest.mark.parametrize("size", EDGES)
def test_copying_reads_two_chunks_at_a_time_and_no_more(size: int) -> None:
    class Source(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.largest = max(self.largest, size or 0)
            return super().read(size)

    source, target = Source(data_of(size)), io.BytesIO()

    stream.copy(KEY, source, target, purpose=b"body")

    assert source.largest <= CHUNK
    assert stream.decrypt(KEY, target.getvalue(), purpose=b"body") == data_of(size)


@given(at=st.integers(0, 3 * SEALED_CHUNK), bit=st.integers(0, 7))
@settings(max_examples=50, deadline=None)
def test_any_changed_bit_is_detected(at: int, bit: int) -> None:
    sealed = bytearray(sealed_of(3 * CHUNK + 7))
    sealed[at % len(sealed)] ^= 1 << bit

    with pytest.raises(TamperedError):
        stream.decrypt(KEY, bytes(sealed), purpose=b"body")


@pytest.mark.parametrize("size", [1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_every_truncation_is_detected(size: int) -> None:
    sealed = sealed_of(size)
    ends = {0, 1, HEAD, HEAD + 15, len(sealed) - 1}
    ends |= {HEAD + n * SEALED_CHUNK for n in range(4)}

    for end in ends:
        if end < len(sealed):
            with pytest.raises(TamperedError):
                stream.decrypt(KEY, sealed[:end], purpose=b"body")


def test_chunks_cannot_be_exchanged_repeated_or_left_out() -> None:
    sealed = sealed_of(3 * CHUNK + 7)
    head, (one, two, three, last) = sealed[:HEAD], chunks_of(sealed)

    for order in (
        (two, one, three, last),
        (one, two, last),
        (one, one, two, three, last),
        (one, two, three, last, last),
        (one, two, three),
        (last,),
    ):
        with pytest.raises(TamperedError):
            stream.decrypt(KEY, head + b"".join(order), purpose=b"body")


def test_chunks_of_two_streams_cannot_be_mixed() -> None:
    first, second = sealed_of(2 * CHUNK), sealed_of(2 * CHUNK)
    mixed = first[:HEAD] + chunks_of(first)[0] + chunks_of(second)[1]

    with pytest.raises(TamperedError):
        stream.decrypt(KEY, mixed, purpose=b"body")


def test_a_header_does_not_open_as_a_body_nor_under_another_key() -> None:
    sealed = stream.encrypt(KEY, b"Subject: x\r\n\r\n", purpose=b"header")

    with pytest.raises(TamperedError):
        stream.decrypt(KEY, sealed, purpose=b"body")
    with pytest.raises(TamperedError):
        stream.decrypt(bytes(32), sealed, purpose=b"header")


def test_a_version_that_is_not_known_is_refused() -> None:
    with pytest.raises(TamperedError, match="not an encrypted stream"):
        stream.decrypt(KEY, b"\x02" + sealed_of(5)[1:], purpose=b"body")


def test_raw_files_that_return_less_than_asked_are_read_whole() -> None:
    class Dribbling(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1000))

    target = io.BytesIO()
    stream.copy(KEY, Dribbling(data_of(CHUNK + 5)), target, purpose=b"body")
    sealed = cast(io.BytesIO, Dribbling(target.getvalue()))

    opened = stream.Decrypted(KEY, sealed, purpose=b"body")

    assert opened.readall() == data_of(CHUNK + 5)


@given(moves=st.lists(st.integers(-10, 2 * CHUNK + 20), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_it_is_positioned_like_any_file(moves: list[int]) -> None:
    plain = io.BytesIO(data_of(2 * CHUNK))
    sealed = io.BytesIO(sealed_of(2 * CHUNK))
    opened = io.BufferedReader(stream.Decrypted(KEY, sealed, purpose=b"body"))

    assert opened.seek(0, io.SEEK_END) == 2 * CHUNK
    for move in moves:
        position = min(max(0, move), 2 * CHUNK)
        assert opened.seek(position) == plain.seek(position)
        assert opened.read(100) == plain.read(100)
        assert opened.tell() == plain.tell()
    assert opened.read() == plain.read()


def test_closing_it_closes_the_stream() -> None:
    sealed = io.BytesIO(sealed_of(5))

    stream.Decrypted(KEY, sealed, purpose=b"body").close()

    assert sealed.closed
