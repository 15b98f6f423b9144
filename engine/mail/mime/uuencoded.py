"""Finds files that are encoded within a text: uuencode and its base64 form (POSIX.1-2024).

Programs wrote files this way before MIME, and some scripts still do.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_uu
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, pairwise
from string import ascii_letters
from typing import TypeAlias

from engine.mail.mime import charset

MARK = b"begin"  # in every text that holds a file
MAX_FILES = 200  # of one text; what follows them stays text

_BEGIN = re.compile(rb"^begin(-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_LOOSE_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ", re.MULTILINE)
_BASE64_BEGIN = b"begin-base64 "
_NOT_BASE64 = bytes(set(range(256)) - set(ascii_letters.encode() + b"0123456789+/"))
_FIRST_LINE = re.compile(rb"(?:\A|\n)begin [0-7]{3,4} [^\n]*\n")
_LINE = re.compile(rb"([^\r\n]*+)(?:\r?\n|\Z)")
_LETTERS = re.compile(rb"[ -`]*+")
_BASE64_LETTERS = re.compile(rb"[A-Za-z0-9+/]++={0,2}")
_FULL = 45  # octets of every line but the last
# Octets of zeros that stood at the ends of lines as blanks, and are put back.
_MAX_LOST = 1024 * 1024
_MAX_CHECKSUM = 2  # letters that some programs write behind a line
_NO_OCTETS = frozenset((b"", b" ", b"`"))
_END, _BASE64_END = b"end", b"===="


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A range of octets that is text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FilePiece:
    """A range of octets that is a file, from its first line to behind its last one.

    `encoding` and the range of `content` are what `transfer_encoding.decode` takes.
    """

    start: int
    end: int
    name: str
    encoding: str
    content: tuple[int, int]
    is_finished: bool = True


Piece: TypeAlias = TextPiece | FilePiece


def split(data: bytes) -> list[Piece]:
    """Returns the texts and files of a text in order: together every octet of it, once.

    A file has a first line with mode and name, lines as long as they say, and a last
    line; one that breaks off is a file where it has at least one full line, and the rest
    is text. A letter that only quotes such a first line stays text. Linear in time.
    """
    pieces: list[Piece] = []
    at = 0
    for file in files(data):
        if file.start > at:
            pieces.append(TextPiece(at, file.start))
        pieces.append(file)
        at = file.end
    if at < len(data) or not pieces:
        pieces.append(TextPiece(at, len(data)))
    return pieces


def decode(data: bytes) -> bytes:
    """Returns the first uuencoded file of a text; the octets as they are without one.

    Lines that cannot be decoded are left out. Never raises.
    """
    begin = _FIRST_LINE.search(data)
    if not begin:
        return data
    # Neither a list of lines nor one of their octets: of short lines each takes a hundred.
    decoded, lost = bytearray(), 0
    lines = BytesIO(data)
    lines.seek(begin.end())
    for line in lines:
        text = line.rstrip(b"\r\n")
        if text == _END:
            break
        octets = _decode_line(text)
        lost += max(0, len(octets) - _held(text))
        decoded += octets if lost <= _MAX_LOST else octets[: _held(text)]
    return bytes(decoded)


def _held(line: bytes) -> int:
    """Returns how many octets the letters of a line hold at most, whatever it says."""
    return len(line) * 3 // 4


def may_hold_files(data: bytes) -> bool:
    """Returns whether `loosely` may find any: a glance at almost every text."""
    return MARK in data and bool(_LOOSE_BEGIN.search(data))


def loosely(data: bytes) -> Iterator[bytes]:
    """Yields what a lenient program would extract: of broken files too, of each once.

    For a scanner, which must not see less than the reader's program. Linear in time.
    """
    # One at a time: a caller stops at its limit, long before millions of them.
    starts = (found.start() for found in _LOOSE_BEGIN.finditer(data))
    for start, end in pairwise(chain(starts, (len(data),))):
        piece = data[start:end]
        if piece.startswith(_BASE64_BEGIN):
            _, _, lines = piece.partition(b"\n")
            yield _base64(lines.partition(b"\n====")[0])
        else:
            yield decode(piece)


def _base64(lines: bytes) -> bytes:
    letters = lines.translate(None, _NOT_BASE64)
    if len(letters) % 4 == 1:
        letters = letters[:-1]  # six bits alone are not an octet
    return a2b_base64(letters + b"==")


def _decode_line(line: bytes) -> bytes:
    try:
        return a2b_uu(line)
    except Error:
        # Some programs write too many letters: the length octet is right.
        room = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        try:
            return a2b_uu(line[:room])
        except Error:
            return b""


def files(data: bytes) -> Iterator[FilePiece]:
    """Yields the files of a text in order, as `split` finds them."""
    # Almost no text holds the word, and finding that out costs a hundredth of the pattern.
    if MARK not in data:
        return
    found, at = 0, 0
    # A first line is never a line of a file, so no octet is examined for two files.
    while found < MAX_FILES and (begin := _BEGIN.search(data, at)):
        file = _base64_file(data, begin) if begin[1] else _uu_file(data, begin)
        if file is None:
            at = begin.end()
            continue
        yield file
        found, at = found + 1, file.end


def _uu_file(data: bytes, begin: re.Match[bytes]) -> FilePiece | None:
    at = begin.end()
    certain = 0  # where the lines end that need no last line to be believed
    has_grave = is_doubtful = False
    while line := _next_line(data, at):
        text = line[1]
        size = _size(text)
        if size is None or (not text and at == begin.end()):
            break
        has_grave = has_grave or b"`" in text
        if size and len(text) - 1 < -(-size * 4 // 3):
            # Blanks at the end of a line, each six zero bits, are lost on some ways.
            # Programs that write a grave accent instead do so to prevent that.
            if has_grave:
                break
            is_doubtful = True
        at = line.end()
        if not is_doubtful and (certain or size == _FULL):
            certain = at
        if not size:
            break
    last = _end_line(data, at, _END)
    end = certain if last is None else last
    if not end:
        return None
    content = begin.start(), end
    name = charset.decode(begin[2])
    return FilePiece(*content, name, "uuencode", content, last is not None)


def _base64_file(data: bytes, begin: re.Match[bytes]) -> FilePiece | None:
    at = begin.end()
    is_full = False
    while line := _next_line(data, at):
        if len(line[1]) % 4 or not _BASE64_LETTERS.fullmatch(line[1]):
            break
        is_full = is_full or len(line[1]) * 3 // 4 >= _FULL
        at = line.end()
    last = _end_line(data, at, _BASE64_END)
    if last is None and not is_full:
        return None
    return FilePiece(
        begin.start(),
        at if last is None else last,
        charset.decode(begin[2]),
        "base64",
        (begin.end(), at),
        last is not None,
    )


def _next_line(data: bytes, at: int) -> re.Match[bytes] | None:
    return _LINE.match(data, at) if at < len(data) else None


def _end_line(data: bytes, at: int, end: bytes) -> int | None:
    line = _next_line(data, at)
    return line.end() if line and line[1].rstrip(b" ") == end else None


def _size(line: bytes) -> int | None:
    """Returns how many octets a line says it holds; None where it is no line of a file."""
    if line in _NO_OCTETS:
        return 0
    if not _LETTERS.fullmatch(line):
        return None
    size = (line[0] - 32) & 63
    most = -(-size // 3) * 4 + _MAX_CHECKSUM
    return size if size and len(line) - 1 <= most else None
