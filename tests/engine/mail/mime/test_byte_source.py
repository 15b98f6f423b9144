from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.mail.mime import byte_source, transfer_encoding
from engine.mail.mime.byte_source import FileBytes


@given(
    content=st.binary(max_size=400),
    encoding=st.sampled_from(["base64", "quoted-printable", "uuencode", "8bit", ""]),
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_read_by_the_piece_is_what_is_decoded_at_once(
    content: bytes, encoding: str, before: bytes, after: bytes, tmp_path: Path
) -> None:
    encoded = base64.encodebytes(content) if encoding == "base64" else content
    path = tmp_path / "body"
    path.write_bytes(before + encoded + after)
    start, end = len(before), len(before) + len(encoded)

    pieces = list(transfer_encoding.pieces(FileBytes(path), encoding, start, end))

    assert b"".join(pieces) == transfer_encoding.decode(encoded, encoding)


@pytest.mark.parametrize("size", [0, 5, byte_source.PIECE + 3])
def test_a_file_is_counted_and_cut_like_octets_in_memory(
    size: int, tmp_path: Path
) -> None:
    data = (b"ab=" * size)[:size]
    path = tmp_path / "body"
    path.write_bytes(data)

    on_disk = FileBytes(path)

    assert len(on_disk) == size
    assert on_disk[2:4] == data[2:4]
    assert byte_source.count(on_disk, b"=", 0, size) == data.count(b"=")
