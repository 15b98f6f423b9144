"""Finds the parts of a MIME message within bounds (RFC 2045, RFC 2046); never raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.mail.errors import PermanentFailure
from engine.mail.header import MAX_HEADER_OCTETS, HeaderBlock
from engine.mail.mime import (
    boundaries,
    charset,
    file_names,
    parameters,
    smime,
    transfer_encoding,
)
from engine.mail.mime.boundaries import Region
from engine.mail.smtp_replies import FORBIDDEN_CONTENT

MAX_DEPTH = 30
MAX_PARTS = 1000
# A part with a longer header is taken as all body.
MAX_PART_HEADER_OCTETS = 64 * 1024
# Octets as written up to which a part is decoded to know its size.
EXACT_SIZE = 64 * 1024

# A message inside a message: RFC 2046 §5.2.1, RFC 6532 §3.7 and RFC 5537 §6.2.
MESSAGES = frozenset(("message/rfc822", "message/global", "message/news"))

_EMPTY_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_CONTENT_FIELD = re.compile(
    rb"^content-[^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+", re.IGNORECASE | re.MULTILINE
)
_TYPE = re.compile(r"[^\s/]{1,80}/[^\s/]{1,80}")
_SHOWN = ("text/plain", "text/html")


class TooManyParts(PermanentFailure):
    """The message is built so that not all of it can be looked at."""

    def __init__(self) -> None:
        text = "The message has too many parts, or parts too deep in one another"
        super().__init__(FORBIDDEN_CONTENT.saying(text))


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds something: text, a file, or an attached message.

    `path` numbers it as IMAP does (RFC 9051 §6.4.5): "1", "2.1". `filename` is the one
    name that we show, and hand the file over by: `file_names.canonical`. `content_id`
    comes without its brackets. `is_nested` says that it belongs to an attached message.
    `header` holds the fields that describe it.
    """

    path: str
    content_type: str
    charset: str
    filename: str
    disposition: str
    content_id: str
    encoding: str
    region: Region
    is_nested: bool
    header: HeaderBlock

    @property
    def names(self) -> set[str]:
        """Every name that some program may give it. Raises TooManyNamesError."""
        fields = self._values("Content-Disposition", "Content-Type")
        return {*file_names.written_in(fields), *self._name_in_content()}

    @property
    def content_types(self) -> set[str]:
        """Every type that some program may take it for: fields may be repeated."""
        return {self.content_type, *self._mains("Content-Type")}

    @property
    def is_ambiguous(self) -> bool:
        """Whether programs disagree about where it ends or how it is encoded.

        RFC 2045 §3 has each field once; of two, some programs read the last.
        """
        return (
            len(self._mains("Content-Type")) > 1
            or len(self._mains("Content-Transfer-Encoding")) > 1
            or any(
                parameters.repeats(v, "boundary") for v in self._values("Content-Type")
            )
        )

    def _name_in_content(self) -> Iterator[str]:
        if self.encoding in transfer_encoding.UUENCODED:
            yield from map(
                charset.decode, transfer_encoding.uu_names(self.region.octets())
            )

    def _mains(self, name: str) -> set[str]:
        return set(map(parameters.main_value, self._values(name)))

    def _values(self, *names: str) -> list[bytes]:
        return [field.value for name in names for field in self.header.all(name)]

    def data(self) -> bytes:
        """The content, decoded from its transfer encoding."""
        region = self.region
        return transfer_encoding.decode(
            region.source, self.encoding, region.start, region.end
        )

    def start(self, octets: int) -> bytes:
        """The first octets of the content, without decoding the rest."""
        # No encoding takes three octets for one, but quoted-printable; line ends more.
        written = self.region.source[
            self.region.start : min(self.region.end, self.region.start + 4 * octets)
        ]
        return transfer_encoding.decode(written, self.encoding)[:octets]

    @property
    def size(self) -> int:
        """Octets of the content; of a large one reckoned, not counted."""
        written = self.region.end - self.region.start
        if written > EXACT_SIZE and self.encoding == "base64":
            return written * 57 // 78  # RFC 2045 §6.8: lines of 76, each with its end
        return written if written > EXACT_SIZE else len(self.data())

    def text(self) -> str:
        """The content as text, in the charset it names; for text parts."""
        return charset.decode(self.data(), self.charset)

    @property
    def is_attachment(self) -> bool:
        """Whether it is offered as a file, rather than shown as the message or in it."""
        if self.disposition == "attachment" or self.content_type in MESSAGES:
            return True
        if self.content_type in _SHOWN:
            return bool(self.filename)
        return not (self.content_id and self.content_type.startswith("image/"))


def walk(header: bytes, body: bytes, *, strict: bool = False) -> Iterator[Part]:
    """Every part in order; an attached message first as a file, then its parts.

    What an S/MIME signature holds inside itself (RFC 8551 §3.5.2) follows the signature,
    as part of the same message.
    Stops after MAX_PARTS and does not look deeper than MAX_DEPTH: what is deeper is
    one part. With `strict` it raises TooManyParts instead.
    """
    block = _described(header[:MAX_HEADER_OCTETS])
    yield from _Walker(strict).entity(block, Region.whole(body), _Place())


def entity_in(part: Part, content: smime.Content) -> Region | None:
    """The message that the part attaches, or signs and holds; None for everything else.

    A file that is signed in the same form stays a file. `content` is how the part reads.
    """
    if part.content_type in MESSAGES:
        is_plain = part.encoding not in transfer_encoding.ENCODED
        return part.region if is_plain else Region.whole(part.data())
    if part.content_type not in smime.CONTENT_TYPES or content.signed is None:
        return None
    entity = Region.whole(content.signed)
    return entity if _split(entity)[0].get("Content-Type") else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entity stands in the tree. The root of a message has no number."""

    path: str = ""
    depth: int = 0
    is_nested: bool = False
    is_root: bool = True
    default_type: str = "text/plain"

    def child(self, number: int, default_type: str = "text/plain") -> _Place:
        path = f"{self.path}.{number}" if self.path else str(number)
        return _Place(path, self.depth + 1, self.is_nested, False, default_type)

    def inside(self) -> _Place:
        """The root of the message attached here."""
        return _Place(self._own_path, self.depth + 1, is_nested=True)

    def unwrapped(self) -> _Place:
        """The root of what is signed here: it belongs to the message as it is."""
        return _Place(self._own_path, self.depth + 1, self.is_nested)

    @property
    def _own_path(self) -> str:
        return self.child(1).path if self.is_root else self.path


class _Walker:
    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.left = MAX_PARTS
        self.budget = boundaries.Budget()
        self.elements = smime.MAX_ELEMENTS

    def entity(
        self, header: HeaderBlock, region: Region, place: _Place
    ) -> Iterator[Part]:
        self.left -= 1
        if self.left < 0:
            self._leave_out()
            return
        content_type, content = _content_type(header, place.default_type)
        regions: list[Region] = []
        if content_type.startswith("multipart/") and "boundary" in content:
            regions = self._between(region, content["boundary"], place)
        if not regions:
            yield from self._leaf(header, region, place)
            return
        digest = content_type == "multipart/digest"  # RFC 2046 §5.1.5
        default_type = "message/rfc822" if digest else "text/plain"
        for number, inner in enumerate(regions, 1):
            yield from self.entity(*_split(inner), place.child(number, default_type))

    def _between(self, region: Region, boundary: str, place: _Place) -> list[Region]:
        if place.depth >= MAX_DEPTH:
            self._leave_out()
            return []
        regions = boundaries.between(region, boundary, self.budget)
        if self.budget.is_spent:
            self._leave_out()
        return regions

    def _leaf(
        self, header: HeaderBlock, region: Region, place: _Place
    ) -> Iterator[Part]:
        part = _part(header, region, place)
        yield part
        inner = entity_in(part, self._read(part))
        if inner is None:
            return
        if place.depth >= MAX_DEPTH:
            self._leave_out()
            return
        inside = place.inside() if part.content_type in MESSAGES else place.unwrapped()
        yield from self.entity(*_split(inner), inside)

    def _read(self, part: Part) -> smime.Content:
        if part.content_type not in smime.CONTENT_TYPES:
            return smime.Content(None)
        content = smime.read(part.data(), self.elements)
        self.elements -= content.elements
        if self.elements <= 0:
            self._leave_out()
        return content

    def _leave_out(self) -> None:
        if self.strict:
            raise TooManyParts


def _part(header: HeaderBlock, region: Region, place: _Place) -> Part:
    content_type, content = _content_type(header, place.default_type)
    field = header.get("Content-Disposition")
    disposition, of_disposition = parameters.parse(field.value if field else b"")
    name = of_disposition.get("filename") or content.get("name", "")
    return Part(
        path=place.child(1).path if place.is_root else place.path,
        content_type=content_type,
        charset=content.get("charset", ""),
        filename=file_names.canonical(name),
        disposition=disposition,
        content_id=header.text("Content-ID").strip(" <>"),
        encoding=_encoding(header),
        region=region,
        is_nested=place.is_nested,
        header=header,
    )


def _encoding(header: HeaderBlock) -> str:
    field = header.get("Content-Transfer-Encoding")
    return parameters.main_value(field.value).strip('"') if field else ""


def _content_type(header: HeaderBlock, default: str) -> tuple[str, dict[str, str]]:
    field = header.get("Content-Type")
    if not field:
        return default, {}
    content_type, content = parameters.parse(field.value)
    if not _TYPE.fullmatch(content_type):
        content_type = "application/octet-stream"
    return content_type, content


def _split(region: Region) -> tuple[HeaderBlock, Region]:
    """The header and the body of a part, at its first empty line."""
    limit = min(region.end, region.start + MAX_PART_HEADER_OCTETS)
    start = region.source[region.start : limit]
    found = _EMPTY_LINE.search(start)
    if found:
        body = Region(region.source, region.start + found.end(), region.end)
        return _described(start[: found.start()]), body
    if limit < region.end:
        return HeaderBlock(()), region
    return _described(start), Region(region.source, region.end, region.end)


def _described(header: bytes) -> HeaderBlock:
    """The fields that describe a body; the others are not even looked at."""
    return HeaderBlock.salvage(b"\r\n".join(_CONTENT_FIELD.findall(header)))
