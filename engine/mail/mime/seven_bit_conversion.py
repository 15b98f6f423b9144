"""Converts a message with 8-bit text for a next hop without 8BITMIME.

RFC 6152 §3 has a relay convert such a message or return it. Each part is encoded by
itself, as quoted-printable or base64 (RFC 2045 §6), so that its content decodes to the
same octets. Signed and encrypted parts are left alone (RFC 1847 §2.1), and so is the
header. Convert before the message is signed.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.mail.header import HeaderBlock
from engine.mail.mime import boundaries, entities, parameters, transfer_encoding
from engine.mail.mime.boundaries import Region
from engine.mail.mime.part_walker import MAX_DEPTH, MAX_PARTS

IDENTITY = ("", "7bit", "8bit", "binary")
DECODABLE = ("base64", "quoted-printable")
# Types that must not be encoded themselves, but whose parts can be converted.
MESSAGES = ("message/rfc822", "message/news")
# RFC 6532 §3.7: unlike the other message types it may be encoded.
INTERNATIONAL = "message/global"
SEALED = ("multipart/signed", "multipart/encrypted")

_EMPTY_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_ENCODING = re.compile(
    rb"^content-transfer-encoding[ \t]*:[^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+\r?\n",
    re.IGNORECASE | re.MULTILINE,
)
_BEYOND_ASCII = bytes(range(128, 256))
_AS_QUESTION_MARKS = bytes(range(128)) + b"?" * 128


class CannotConvertError(Exception):
    """The message cannot be converted without changing its text or its authorship."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


SIGNED = "a part of it is signed or encrypted and may not be changed"
HEADER = "a header field holds 8-bit characters"
UNCLEAR = "a part of it is built or encoded in an unusual way"


def convert(header: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Returns header and body in ASCII; a message in ASCII stays octet for octet.

    `header` ends with its empty line. Raises CannotConvertError.
    """
    if not header.isascii():
        raise CannotConvertError(HEADER)
    if body.isascii():
        return header, body
    pieces = _Converter().entity(
        _labelled(header, body), Region.whole(body), _Position()
    )
    return next(pieces), b"".join(pieces)


def _labelled(header: bytes, body: bytes) -> bytes:
    """Returns the header with the fields of a MIME message (RFC 2045 §4).

    RFC 1428 labels text of an unknown charset as unknown-8bit.
    """
    block = HeaderBlock.salvage(header)
    added = b""
    if block.get("MIME-Version") is None:
        added += b"MIME-Version: 1.0\r\n"
    if block.get("Content-Type") is None:
        name = b"utf-8" if _is_utf8(body) else b"unknown-8bit"
        added += b"Content-Type: text/plain; charset=" + name + b"\r\n"
    return header.removesuffix(b"\r\n") + added + b"\r\n"


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Position:
    depth: int = 0
    default_type: str = "text/plain"

    def child(self, default_type: str = "text/plain") -> _Position:
        return _Position(self.depth + 1, default_type)


@dataclass(slots=True)
class _Converter:
    """Yields entities in pieces: first the header, with its empty line."""

    left: int = MAX_PARTS
    budget: boundaries.Budget = field(default_factory=boundaries.Budget)

    def entity(
        self, header: bytes, region: Region, position: _Position
    ) -> Iterator[bytes]:
        self.left -= 1
        if self.left < 0 or position.depth > MAX_DEPTH:
            raise CannotConvertError(UNCLEAR)
        if not header.isascii():
            raise CannotConvertError(HEADER)
        if region.octets().isascii():
            yield header
            yield region.octets()
            return
        block = HeaderBlock.salvage(header)
        kind, written = _one(block, "Content-Type", position.default_type)
        encoding, _ = _one(block, "Content-Transfer-Encoding", "")
        if kind in SEALED:
            raise CannotConvertError(SIGNED)
        if kind.startswith("multipart/") or kind in MESSAGES:
            if encoding not in IDENTITY:
                raise CannotConvertError(UNCLEAR)
            yield _with_encoding(header, b"7bit")
            if kind in MESSAGES:
                yield from self._message(region, position)
            else:
                yield from self._multipart(kind, written, region, position)
        elif kind.startswith("message/") and kind != INTERNATIONAL:
            raise CannotConvertError(UNCLEAR)
        else:
            yield from _leaf(header, kind, encoding, region)

    def _message(self, region: Region, position: _Position) -> Iterator[bytes]:
        header, inner = _split(region)
        if HeaderBlock.salvage(header).get("DKIM-Signature") is not None:
            raise CannotConvertError(SIGNED)
        yield from self.entity(header, inner, position.child())

    def _multipart(
        self, kind: str, written: dict[str, str], region: Region, position: _Position
    ) -> Iterator[bytes]:
        boundary = written.get("boundary", "")
        if not boundary or not boundary.isascii():
            raise CannotConvertError(UNCLEAR)
        default_type = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        inner = boundaries.between(region, boundary, self.budget)
        if not inner or self.budget.is_spent:
            raise CannotConvertError(UNCLEAR)
        at = region.start
        for part in inner:
            yield _gap(region.source[at : part.start])
            yield from self.entity(*_split(part), position.child(default_type))
            at = part.end
        yield _gap(region.source[at : region.end])


def _one(block: HeaderBlock, name: str, default: str) -> tuple[str, dict[str, str]]:
    """Returns value and parameters of a field. Raises where programs may read others."""
    found = block.all(name)
    if len({one.value for one in found}) > 1 or any(
        parameters.repeats(one.value, "boundary") for one in found
    ):
        raise CannotConvertError(UNCLEAR)
    if not found:
        return default, {}
    main, written = parameters.parse(found[0].value)
    return main.strip('"'), written


def _leaf(header: bytes, kind: str, encoding: str, region: Region) -> Iterator[bytes]:
    if encoding not in (*IDENTITY, *DECODABLE):
        raise CannotConvertError(UNCLEAR)
    data = transfer_encoding.decode(region.source, encoding, region.start, region.end)
    beyond = len(data) - len(data.translate(None, _BEYOND_ASCII))
    # Quoted-printable keeps text readable without decoding, at three octets for one. Where
    # more than a third is beyond ASCII it is neither readable nor shorter than base64.
    if kind.startswith("text/") and beyond * 3 <= len(data):
        yield _with_encoding(header, b"quoted-printable")
        yield _quoted(data)
    else:
        yield _with_encoding(header, b"base64")
        yield entities.base64(data)


def _quoted(data: bytes) -> bytes:
    """Returns quoted-printable in which line ends stay and all other octets are exact."""
    lines = (b2a_qp(line, istext=False) for line in data.split(b"\r\n"))
    return b"\r\n".join(line.replace(b"=\n", b"=\r\n") for line in lines)


def _gap(octets: bytes) -> bytes:
    """Returns the octets between parts, in ASCII.

    The text before the first part and after the last is never shown (RFC 2046 §5.1.1).
    """
    return octets if octets.isascii() else octets.translate(_AS_QUESTION_MARKS)


def _with_encoding(header: bytes, encoding: bytes) -> bytes:
    line = b"Content-Transfer-Encoding: " + encoding + b"\r\n"
    bare = _ENCODING.sub(b"", header)
    end = b"\r\n" if bare.endswith(b"\r\n") else b"\n"
    return bare.removesuffix(end) + line + end


def _split(region: Region) -> tuple[bytes, Region]:
    """Returns the header of a part, with its empty line, and its body."""
    octets = region.octets()
    found = _EMPTY_LINE.search(octets)
    if found is None:
        return octets, Region(region.source, region.end, region.end)
    start = region.start + found.end()
    return octets[: found.end()], Region(region.source, start, region.end)
