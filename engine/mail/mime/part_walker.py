"""Finds the parts of a MIME message, within bounds that hold for any input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from engine.mail.errors import PermanentFailure
from engine.mail.header import MAX_HEADER_OCTETS, HeaderBlock
from engine.mail.mime import (
    boundaries,
    file_names,
    parameters,
    rtf,
    smime,
    transfer_encoding,
    wrapped_files,
)
from engine.mail.mime.boundaries import Region
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.parts import MESSAGES, Part
from engine.mail.smtp_replies import FORBIDDEN_CONTENT

MAX_DEPTH = 30
MAX_PARTS = 1000
# Octets. A part with a longer header is taken as all body.
MAX_PART_HEADER_OCTETS = 64 * 1024

_EMPTY_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_CONTENT_FIELD = re.compile(
    rb"^content-[^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+", re.IGNORECASE | re.MULTILINE
)
_TYPE = re.compile(r"[^\s/]{1,80}/[^\s/]{1,80}")


class TooManyParts(PermanentFailure):
    """The message is built so that not all of it can be examined."""

    def __init__(self) -> None:
        text = "The message has too many parts, or parts nested too deep"
        super().__init__(FORBIDDEN_CONTENT.saying(text))


@dataclass(slots=True)
class Entity:
    """A node of the tree of a message: a multipart, or a leaf with its part.

    `part` is None for a multipart, whose parts are the `children`. The children of a leaf
    are what is inside it: the root of an attached message or of signed content.
    """

    content_type: str
    parameters: dict[str, str]
    part: Part | None = None
    children: list[Entity] = field(default_factory=list)

    def parts(self) -> Iterator[Part]:
        """Yields every part in order, each before what is inside it."""
        if self.part is not None:
            yield self.part
        for child in self.children:
            yield from child.parts()


def walk(header: bytes, body: ByteSource, *, strict: bool = False) -> Iterator[Part]:
    """Yields every part in order; an attached message first as a file, then its parts.

    The content of an opaque S/MIME signature (RFC 8551 §3.5.2) follows the signature, as
    part of the same message. The walk stops after MAX_PARTS and goes no deeper than
    MAX_DEPTH: what is deeper is one part. With `strict`, as before a decision about
    the content, it raises TooManyParts instead.
    """
    if strict:
        return strict_tree(header, body).parts()
    return tree(header, body).parts()


def strict_tree(header: bytes, body: ByteSource) -> Entity:
    """Returns the tree for a decision about files. Raises TooManyParts.

    Without the Rich Text of Outlook, which takes long to open and holds no files.
    """
    return tree(header, body, strict=True, rich_text=rtf.Budget(0))


def tree(
    header: bytes,
    body: ByteSource,
    *,
    strict: bool = False,
    attached: bool = True,
    rich_text: rtf.Budget | None = None,
) -> Entity:
    """Returns the tree of a message, with the bounds of `walk`.

    Without `attached`, attached messages are leaves and are not looked into. `rich_text`
    is what may be spent on the bodies in winmail.dat.
    """
    block = _content_fields(header[:MAX_HEADER_OCTETS])
    walker = _Walker(strict, attached, rich_text or rtf.Budget())
    return walker.entity(block, Region.whole(body), _Position())


def entity_in(part: Part, content: smime.Content) -> Region | None:
    """Returns the message that a part attaches, or signs and contains; None otherwise.

    A file that is signed in the same form stays a file. `content` is what S/MIME made of
    the part.
    """
    if part.content_type in MESSAGES:
        is_plain = part.encoding not in transfer_encoding.ENCODED
        return part.region if is_plain else Region.whole(part.data())
    if part.content_type not in smime.CONTENT_TYPES or content.signed is None:
        return None
    entity = Region.whole(content.signed)
    return entity if _split(entity)[0].get("Content-Type") else None


@dataclass(frozen=True, slots=True)
class _Position:
    """The position of an entity in the tree. The root of a message has no number."""

    path: str = ""
    depth: int = 0
    is_nested: bool = False
    is_root: bool = True
    default_type: str = "text/plain"

    def child(self, number: int, default_type: str = "text/plain") -> _Position:
        path = f"{self.path}.{number}" if self.path else str(number)
        return _Position(path, self.depth + 1, self.is_nested, False, default_type)

    def attached_root(self) -> _Position:
        """Returns the root of the message attached here."""
        return _Position(self._own_path, self.depth + 1, is_nested=True)

    def signed_root(self) -> _Position:
        """Returns the root of what is signed here, which belongs to this message."""
        return _Position(self._own_path, self.depth + 1, self.is_nested)

    @property
    def _own_path(self) -> str:
        return self.child(1).path if self.is_root else self.path


class _Walker:
    """One walk, with what may still be spent on it.

    The budgets count for the whole message: each part alone would be harmless.
    """

    def __init__(self, strict: bool, attached: bool, rich_text: rtf.Budget) -> None:
        self.strict = strict
        self.attached = attached
        self.left = MAX_PARTS
        self.budget = boundaries.Budget()
        self.elements = smime.MAX_ELEMENTS
        self.rich_text = rich_text

    def entity(
        self, header: HeaderBlock, region: Region, position: _Position
    ) -> Entity:
        self.left -= 1
        content_type, content = _content_type(header, position.default_type)
        regions: list[Region] = []
        if content_type.startswith("multipart/") and "boundary" in content:
            regions = self._between(region, content["boundary"], position)
        if not regions:
            return self._leaf(header, region, position)
        digest = content_type == "multipart/digest"  # RFC 2046 §5.1.5
        default_type = "message/rfc822" if digest else "text/plain"
        found = Entity(content_type, content)
        for number, inner in enumerate(regions, 1):
            if self.left <= 0:
                self._leave_out()
                break
            place = position.child(number, default_type)
            found.children.append(self.entity(*_split(inner), place))
        return found

    def _between(
        self, region: Region, boundary: str, position: _Position
    ) -> list[Region]:
        if position.depth >= MAX_DEPTH:
            self._leave_out()
            return []
        regions = boundaries.between(region, boundary, self.budget)
        if self.budget.is_spent:
            self._leave_out()
        return regions

    def _leaf(self, header: HeaderBlock, region: Region, position: _Position) -> Entity:
        part = _part(header, region, position)
        leaf = Entity(part.content_type, part.parameters, part)
        is_message = part.content_type in MESSAGES
        if is_message and not self.attached:
            return leaf
        leaf.children += self._wrapped(part)
        inner = entity_in(part, self._smime_content(part))
        if inner is None:
            return leaf
        if position.depth >= MAX_DEPTH or self.left <= 0:
            self._leave_out()
            return leaf
        root = position.attached_root() if is_message else position.signed_root()
        leaf.children.append(self.entity(*_split(inner), root))
        return leaf

    def _wrapped(self, part: Part) -> list[Entity]:
        """Returns the files wrapped in a part in other ways; none if they are too many."""
        files = list(
            islice(wrapped_files.files_in(part, self.rich_text), self.left + 1)
        )
        if len(files) > self.left:
            self._leave_out()
            return []
        self.left -= len(files)
        return [Entity(file.content_type, file.parameters, file) for file in files]

    def _smime_content(self, part: Part) -> smime.Content:
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


def _part(header: HeaderBlock, region: Region, position: _Position) -> Part:
    content_type, content = _content_type(header, position.default_type)
    written = header.get("Content-Disposition")
    disposition, of_disposition = parameters.parse(written.value if written else b"")
    name = of_disposition.get("filename") or content.get("name", "")
    return Part(
        path=position.child(1).path if position.is_root else position.path,
        content_type=content_type,
        charset=content.get("charset", ""),
        filename=file_names.canonical(name),
        disposition=disposition,
        content_id=header.text("Content-ID").strip(" <>"),
        encoding=_encoding(header),
        region=region,
        is_nested=position.is_nested,
        header=header,
        parameters=content,
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
        content_type = "text/plain"  # RFC 2045 §5.2
    return content_type, content


def _split(region: Region) -> tuple[HeaderBlock, Region]:
    """Returns the header and the body of a part, divided at its first empty line."""
    limit = min(region.end, region.start + MAX_PART_HEADER_OCTETS)
    start = region.source[region.start : limit]
    found = _EMPTY_LINE.search(start)
    if found:
        body = Region(region.source, region.start + found.end(), region.end)
        return _content_fields(start[: found.start()]), body
    if limit < region.end:
        return HeaderBlock(()), region
    return _content_fields(start), Region(region.source, region.end, region.end)


def _content_fields(header: bytes) -> HeaderBlock:
    """Returns the fields that describe a body; the others are not even parsed."""
    return HeaderBlock.salvage(b"\r\n".join(_CONTENT_FIELD.findall(header)))
