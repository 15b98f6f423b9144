"""Turns a guide's body into numbered parts with anchors, for the templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString
from django.utils.text import slugify
from wagtail.rich_text import expand_db_html

from portal.guides.choices import Account
from portal.guides.rendering import placeholders
from portal.guides.rendering.pictures import Shown, Source

NOTHING = SafeString()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a guide. Fields that its kind does not use are empty."""

    kind: str
    title: str = ""
    anchor: str = ""
    number: int = 0
    html: SafeString = NOTHING
    pictures: tuple[Shown, ...] = ()
    facts: tuple[tuple[str, SafeString], ...] = ()
    parts: tuple[Part, ...] = ()
    is_left_out: bool = False


@dataclass(slots=True)
class Outliner:
    """Builds the parts of one body. `account` selects a version; empty shows all."""

    source: Source
    account: str = ""
    _number: int = 0
    _anchors: set[str] = field(default_factory=set)

    def parts(self, body: Iterable[Any]) -> tuple[Part, ...]:
        """Returns the parts of a body, in order."""
        return tuple(self._part(block) for block in body)

    def _part(self, block: Any) -> Part:
        kind, value = block.block_type, block.value
        if kind == "heading":
            self._number = 0
            title = placeholders.fill_in(value)
            return Part(kind, title=title, anchor=self._anchor(title))
        if kind == "step":
            return self._step(value)
        if kind == "facts":
            return Part(kind, facts=tuple(_facts(value)))
        if kind == "picture":
            return Part(kind, pictures=self._pictures([value]))
        if kind == "account":
            return self._account(value)
        return Part(kind, html=_html(value))

    def _step(self, value: Any) -> Part:
        self._number += 1
        title = placeholders.fill_in(value["title"])
        return Part(
            "step",
            title=title,
            anchor=self._anchor(title),
            number=self._number,
            html=_html(value["text"]),
            pictures=self._pictures(value["pictures"]),
        )

    def _account(self, value: Any) -> Part:
        self._number = 0
        chosen = value["accounts"]
        labels = " or ".join(str(Account(name).label) for name in chosen)
        title = labels.replace(" or A ", " or a ")
        part = Part(
            "account",
            title=title,
            anchor=self._anchor(title),
            parts=self.parts(value["parts"]),
            is_left_out=bool(self.account) and self.account not in chosen,
        )
        self._number = 0
        return part

    def _pictures(self, blocks: Iterable[Any]) -> tuple[Shown, ...]:
        return tuple(shown for block in blocks if (shown := self.source(block)))

    def _anchor(self, title: str) -> str:
        """Makes an anchor of the title, so that links survive a step inserted before it."""
        wanted = anchor = slugify(title)[:50] or "part"
        count = 1
        while anchor in self._anchors:
            count += 1
            anchor = f"{wanted}-{count}"
        self._anchors.add(anchor)
        return anchor


def contents(parts: Iterable[Part]) -> list[Part]:
    """Returns the parts for the table of contents: headings and account versions."""
    return [part for part in parts if part.kind in ("heading", "account")]


def accounts_in(body: Iterable[Any]) -> list[Account]:
    """Returns the kinds of account that the body distinguishes, in their usual order."""
    named = {
        name
        for block in body
        if block.block_type == "account"
        for name in block.value["accounts"]
    }
    return [account for account in Account if account in named]


def _facts(rows: Iterable[Any]) -> Iterator[tuple[str, SafeString]]:
    for row in rows:
        yield placeholders.fill_in(row["term"]), _html(row["meaning"])


def _html(rich_text: Any) -> SafeString:
    return placeholders.fill_in_html(expand_db_html(rich_text.source))
