"""The items of a message: what a reader must see of it, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from engine.mail.mime.parts import Part


class Kind(StrEnum):
    """What an item is to a reader. Only TEXT and HTML are the message's own words."""

    TEXT = "text"
    HTML = "html"
    PICTURE = "picture"
    MESSAGE = "message"
    INVITATION = "invitation"
    REPORT = "report"
    FILE = "file"


WORDS = frozenset((Kind.TEXT, Kind.HTML))


class Item(NamedTuple):
    """One item: a text to show in its place, or a file to offer.

    `name` is the name under which it is offered; a text has one only where its sender
    named it. `alternatives` are the other forms of the same words (RFC 2046 §5.1.4), the
    richest first; `covered_by` has the paths of those of an earlier item that stand for
    this one as well, in a set for each multipart/alternative around it. `pictures` are the
    parts that its HTML embeds (RFC 2392). `holds_files` says that files encoded within the
    text are items of their own, `is_partial` that it is one of several texts of its form.
    """

    kind: Kind
    part: Part
    name: str = ""
    alternatives: tuple[Item, ...] = ()
    pictures: tuple[Part, ...] = ()
    covered_by: tuple[frozenset[str], ...] = ()
    holds_files: bool = False
    is_partial: bool = False

    @property
    def is_words(self) -> bool:
        """Whether it is shown as the message's own words."""
        return self.kind in WORDS

    @property
    def is_flowed(self) -> bool:
        """Whether its lines are to be joined (RFC 3676)."""
        return self.part.parameters.get("format", "").lower() == "flowed"

    @property
    def deletes_space(self) -> bool:
        """Whether the space before a joined line end goes with it (RFC 3676 §4)."""
        return self.part.parameters.get("delsp", "").lower() == "yes"


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as it is read: every leaf of it is in one item.

    `items` are in the order of the message; the pictures that its HTML embeds are in the
    items that embed them.
    """

    items: tuple[Item, ...]

    @property
    def words(self) -> list[Item]:
        """The texts to show, in order."""
        return [item for item in self.items if item.is_words]

    @property
    def offered(self) -> list[Item]:
        """The files to offer, in order: everything that is not the message's own words."""
        return [item for item in self.items if not item.is_words]

    @property
    def pictures(self) -> list[Part]:
        """The pictures that the HTML embeds, each once, in the order of the message."""
        found = {part.path: part for part in _embedded(self.items)}
        return list(found.values())

    def leaves(self) -> Iterator[Part]:
        """Yields the part of every item, of every alternative and of every picture."""
        yield from _leaves(self.items)


def _embedded(items: Iterable[Item]) -> Iterator[Part]:
    for item in items:
        yield from item.pictures
        yield from _embedded(item.alternatives)


def _leaves(items: Iterable[Item]) -> Iterator[Part]:
    for item in items:
        yield item.part
        yield from item.pictures
        yield from _leaves(item.alternatives)
