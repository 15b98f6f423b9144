"""Finds the parts of a MIME message, within bounds that hold for any input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from engine.mail.errors import PermanentFailure
from engine.mail.header import MAX_HEADER_OCTETS
from engine.mail.mime import (
    boundaries,
    part_header,
    rtf,
    smime,
    transfer_encoding,
    wrapped_files,
)
from engine.mail.mime.boundaries import Region
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.part_header import PartHeader
from engine.mail.mime.parts import MESSAGES, Part
from engine.mail.smtp_replies import FORBIDDEN_CONTENT

MAX_DEPTH = 30
MAX_PARTS = 1000


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
    parameters: Mapping[str, str]
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
    described = part_header.read(header[:MAX_HEADER_OCTETS])
    walker = _Walker(strict, attached, rich_text or rtf.Budget())
    return walker.entity(described, Region.whole(body), _Position())


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
    return entity if part_header.split(entity)[0].content_type else None


class _Position(NamedTuple):
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

    def entity(self, header: PartHeader, region: Region, position: _Position) -> Entity:
        self.left -= 1
        content_type = header.content_type or position.default_type
        content = header.parameters
        regions: list[Region] = []
        if content_type.startswith("multipart/") and "boundary" in content:
            regions = self._between(region, content["boundary"], position)
        found = Entity(content_type, content)
        if not regions:
            found.part = _part(header, region, position)
            self._look_into(found, found.part, position)
            return found
        digest = content_type == "multipart/digest"  # RFC 2046 §5.1.5
        default_type = "message/rfc822" if digest else "text/plain"
        for number, inner in enumerate(regions, 1):
            if self.left <= 0:
                self._leave_out()
                break
            place = position.child(number, default_type)
            found.children.append(self.entity(*part_header.split(inner), place))
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

    def _look_into(self, leaf: Entity, part: Part, position: _Position) -> None:
        """Adds what is inside a leaf: files that it wraps, or a message."""
        is_message = part.content_type in MESSAGES
        if is_message and not self.attached:
            return
        if part.content_type in wrapped_files.WRAPPERS:
            leaf.children += self._wrapped(part)
        if not (is_message or part.content_type in smime.CONTENT_TYPES):
            return
        inner = entity_in(part, self._smime_content(part))
        if inner is None:
            return
        if position.depth >= MAX_DEPTH or self.left <= 0:
            self._leave_out()
            return
        root = position.attached_root() if is_message else position.signed_root()
        leaf.children.append(self.entity(*part_header.split(inner), root))

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


def _part(header: PartHeader, region: Region, position: _Position) -> Part:
    return Part(
        path=position.child(1).path if position.is_root else position.path,
        content_type=header.content_type or position.default_type,
        charset=header.parameters.get("charset", ""),
        filename=header.filename,
        disposition=header.disposition,
        content_id=header.content_id,
        encoding=header.encoding,
        region=region,
        is_nested=position.is_nested,
        header=header.block,
        parameters=header.parameters,
    )
