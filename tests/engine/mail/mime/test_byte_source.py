from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.mail.mime import byte_source, part_walker, transfer_encoding
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

    pieces = list(transfer_encoding.pieces(on_disk(path), encoding, start, end))

    assert b"".join(pieces) == transfer_encoding.decode(encoded, encoding)


@pytest.mark.parametrize("size", [0, 5, byte_source.PIECE + 3])
def test_a_file_is_counted_and_cut_like_octets_in_memory(
    size: int, tmp_path: Path
) -> None:
    data = (b"ab=" * size)[:size]
    path = tmp_path / "body"
    path.write_bytes(data)

    source = on_disk(path)

    assert len(source) == size
    assert source[2:4] == data[2:4]
    assert byte_source.count(source, b"=", 0, size) == data.count(b"=")
    assert source.find(b"=ab", 3, size) == data.find(b"=ab", 3, size)
    assert source.find(b"xyz", 0, size) == -1


@given(start=st.integers(0, 3), length=st.integers(1, 5))
def test_octets_are_found_across_the_pieces_of_a_file(start: int, length: int) -> None:
    wanted = b"xyzab"[:length]
    data = b"." * (byte_source.PIECE - start) + wanted + b".." + wanted
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        source = FileBytes(file)

    assert source.find(wanted, 0, len(data)) == data.find(wanted)
    assert source.find(wanted, 0, data.find(wanted) + length - 1) == -1


LINES = st.lists(
    st.sampled_from(
        [
            b"Content-Type: multipart/mixed; boundary=a",
            b"Content-Type: text; x",
            b"",
            b"--a",
            b"--a--  ",
            b"--ab",
            b"begin 644 f",
            b"#86)C",
            b"`",
            b"end",
            b"text",
        ]
    ),
    max_size=25,
)


@given(lines=LINES, line_end=st.sampled_from([b"\r\n", b"\n"]))
def test_a_message_on_disk_is_walked_like_one_in_memory(
    lines: list[bytes], line_end: bytes
) -> None:
    header = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    body = line_end.join(lines)
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        source = FileBytes(file)

    def parts(of: bytes | FileBytes) -> list[tuple[str, str, bytes]]:
        found = part_walker.walk(header, of)
        return [(part.path, part.content_type, part.data()) for part in found]

    assert parts(source) == parts(body)


def on_disk(path: Path) -> FileBytes:
    with path.open("rb") as file:
        return FileBytes(file)
