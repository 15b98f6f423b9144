"""Parses the guides that come with the product: one text file each.

Above a line of `---` are the properties, as `name: value`. Below it, the beginning of
each line decides what it is:

    ## Heading          + A step             note: words         warning: words
    [picture] its words for screen readers | a caption
    | a term | what it means                 - a point of a list
        @account webmail phone … @end            text for these kinds of account only

Other lines are paragraphs; those after a step belong to it. In them `**bold**`,
`` `code` `` and `[words](address)` are as in Markdown, and `guide:slug` is an address.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.urls import reverse
from django.utils.html import escape

FOLDER = Path(__file__).parent.parent / "content" / "guides"

Block = dict[str, Any]

_PICTURE = re.compile(r"\[([a-z0-9-]+)\] ([^|]+?)(?: \| (.+))?")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`(.+?)`")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


class ContentError(Exception):
    """A guide file is not valid. The message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed guide file. `body` is the raw data of a StreamField."""

    slug: str
    facts: dict[str, str]
    body: list[Block]
    digest: str

    @property
    def related(self) -> list[str]:
        """The slugs of related guides."""
        return self.facts.get("related", "").split()

    @property
    def reviewed_on(self) -> date:
        """The date of the last review."""
        return date.fromisoformat(self.facts["reviewed"])


def sources() -> list[Source]:
    """Returns every bundled guide. Raises ContentError."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def read(path: Path) -> Source:
    """Parses one file. Raises ContentError for missing properties or unknown lines."""
    text = path.read_text(encoding="utf-8")
    head, found, body = text.partition("\n---\n")
    if not found:
        raise ContentError(f"{path.name}: a line of --- must end the properties.")
    facts = dict(_fact(line) for line in head.splitlines())
    missing = {"title", "topic", "owner", "reviewed", "summary"} - set(facts)
    if missing:
        raise ContentError(f"{path.name}: add {', '.join(sorted(missing))}.")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Source(path.stem, facts, Reader(path.name).blocks(body), digest)


def _fact(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


@dataclass(slots=True)
class Reader:
    """Parses one body line by line. A paragraph belongs to the open step, if there is one."""

    name: str
    _top: list[Block] = field(default_factory=list)
    _inside: list[Block] | None = None
    _accounts: list[str] = field(default_factory=list)
    _step: Block | None = None
    _is_list_open: bool = False

    def blocks(self, body: str) -> list[Block]:
        """Returns the blocks of a body. Raises ContentError."""
        for line in body.splitlines():
            self._line(line.strip())
        if self._inside is not None:
            raise ContentError(f"{self.name}: @account without @end.")
        return self._top

    def _line(self, line: str) -> None:
        if not line:
            self._is_list_open = False
        elif line.startswith("## "):
            self._add("heading", line[3:])
        elif line.startswith("+ "):
            step = {"title": line[2:], "text": "", "pictures": []}
            self._add("step", step)
            self._step = step
        elif line.startswith(("note: ", "warning: ")):
            kind, _, words = line.partition(": ")
            self._add(kind, f"<p>{_inline(words)}</p>")
        elif line.startswith("| "):
            self._fact(line)
        elif line.startswith("@"):
            self._account_line(line)
        elif picture := _PICTURE.fullmatch(line):
            self._picture(*picture.groups())
        else:
            self._words(line)

    @property
    def _current(self) -> list[Block]:
        return self._top if self._inside is None else self._inside

    def _add(self, kind: str, value: Any) -> None:
        self._current.append({"type": kind, "value": value})
        self._step = None
        self._is_list_open = False

    def _account_line(self, line: str) -> None:
        if line.startswith("@account "):
            self._inside, self._accounts = [], line.split()[1:]
        elif line == "@end" and self._inside is not None:
            value = {"accounts": self._accounts, "parts": self._inside}
            self._inside = None
            self._add("account", value)
        else:
            raise ContentError(f"{self.name}: {line} is not a known mark.")
        self._step = None

    def _fact(self, line: str) -> None:
        term, _, meaning = line.strip("| ").partition(" | ")
        row = {"term": term.strip(), "meaning": f"<p>{_inline(meaning.strip())}</p>"}
        if not self._current or self._current[-1]["type"] != "facts":
            self._add("facts", [])
        self._current[-1]["value"].append(row)

    def _picture(self, name: str, alt: str, caption: str | None) -> None:
        value = {"built_in": name, "image": None, "alt": alt, "caption": caption or ""}
        if self._step is None:
            self._add("picture", value)
        else:
            self._step["pictures"].append(value)

    def _words(self, line: str) -> None:
        text = self._step["text"] if self._step is not None else self._open_text()
        if line.startswith("- "):
            point = f"<li>{_inline(line[2:])}</li>"
            if self._is_list_open:
                text = text.removesuffix("</ul>") + point + "</ul>"
            else:
                text += f"<ul>{point}</ul>"
            self._is_list_open = True
        else:
            text += f"<p>{_inline(line)}</p>"
            self._is_list_open = False
        if self._step is not None:
            self._step["text"] = text
        else:
            self._current[-1]["value"] = text

    def _open_text(self) -> str:
        if not self._current or self._current[-1]["type"] != "text":
            self._add("text", "")
        text: str = self._current[-1]["value"]
        return text


def _inline(words: str) -> str:
    words = _CODE.sub(r"<code>\1</code>", escape(words))
    words = _BOLD.sub(r"<b>\1</b>", words)
    return _LINK.sub(_link, words)


def _link(found: re.Match[str]) -> str:
    words, address = found.groups()
    if address.startswith("guide:"):
        slug = address.removeprefix("guide:")
        address = reverse("wagtail_serve", args=[f"{slug}/"])
    return f'<a href="{address}">{words}</a>'
