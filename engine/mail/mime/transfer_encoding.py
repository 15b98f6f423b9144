"""Decodes Content-Transfer-Encoding, however malformed it is (RFC 2045 §6)."""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator

from engine.mail.mime import byte_source, uuencoded
from engine.mail.mime.byte_source import ByteSource

UUENCODED = frozenset(("x-uuencode", "uuencode", "uue", "x-uue"))
ENCODED = UUENCODED | {"base64", "quoted-printable"}
_NOT_BASE64 = bytes(
    octet for octet in range(256) if not (chr(octet).isalnum() and octet < 128)
).translate(None, b"+/=")
# Runs of base64, each with its padding. Beyond that they are decoded as one, which bounds
# the time that a text of equals signs takes.
_MAX_RUNS = 10_000
_PIECE = 1024 * 1024  # octets decoded at once
# Files that some programs extract from any text: both forms of uuencode, and yEnc.
_IN_TEXT = re.compile(
    rb"^(?:begin(?:-base64)? [0-7]{3,4} |=ybegin [^\r\n]{0,100}?name=)([^\r\n]{1,255})",
    re.MULTILINE,
)


def decode(
    source: ByteSource, encoding: str, start: int = 0, end: int | None = None
) -> bytes:
    """Returns the decoded octets between two positions of the source.

    An unknown encoding leaves them as they are. Never raises.
    """
    end = len(source) if end is None else end
    if encoding == "base64":
        return _base64(source, start, end)
    data = source[start:end]
    if encoding == "quoted-printable":
        return a2b_qp(data)
    if encoding in ENCODED:
        return uuencoded.decode(data)
    return data


def pieces(source: ByteSource, encoding: str, start: int, end: int) -> Iterator[bytes]:
    """Yields what `decode` returns, about a megabyte at a time if the encoding allows."""
    runs = byte_source.count(source, b"=", start, end) if encoding == "base64" else 0
    if encoding == "base64" and runs <= _MAX_RUNS:
        yield from _base64_pieces(source, start, end)
    elif encoding in ENCODED:
        yield decode(source[start:end], encoding)
    else:
        for at in range(start, end, _PIECE):
            yield source[at : min(at + _PIECE, end)]


def uu_names(data: bytes) -> list[bytes]:
    """Returns the names of files that are encoded within a text."""
    # Almost no text holds the word, and finding that out costs a hundredth of the pattern.
    return _IN_TEXT.findall(data) if b"begin" in data else []


def _base64(source: ByteSource, start: int, end: int) -> bytes:
    """Decodes base64, beyond padding too.

    Some mail programs stop at padding and some go on: we go on, so that no content is
    hidden from the scanner.
    """
    if byte_source.count(source, b"=", start, end) > _MAX_RUNS:
        return _base64_of_many_runs(source[start:end])
    return b"".join(_base64_pieces(source, start, end))


def _base64_pieces(source: ByteSource, start: int, end: int) -> Iterator[bytes]:
    """Decodes piece by piece: with whole copies, 25 MB took 240 MB of memory."""
    left = b""
    for at in range(start, end, _PIECE):
        piece = source[at : min(at + _PIECE, end)].translate(None, _NOT_BASE64)
        *ended, left = (left + piece).split(b"=")
        yield from map(_base64_run, ended)
        whole = len(left) - len(left) % 4
        yield a2b_base64(left[:whole])
        left = left[whole:]
    yield _base64_run(left)


def _base64_of_many_runs(data: bytes) -> bytes:
    letters = data.translate(None, _NOT_BASE64)
    runs = letters.rstrip(b"=").split(b"=")
    if len(runs) > _MAX_RUNS:
        runs = [b"".join(runs)]
    return b"".join(map(_base64_run, runs))


def _base64_run(letters: bytes) -> bytes:
    if len(letters) % 4 == 1:
        letters = letters[:-1]  # six bits alone are not an octet
    return a2b_base64(letters + b"==")
