"""Lays out a tree of HTML as plain text in one pass, each element in constant time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from engine.mail.reading import html_links, html_style
from engine.mail.reading.html_links import Link
from engine.mail.reading.html_style import Style
from engine.mail.reading.text_lines import Lines

# Tables that lie deeper in each other are laid out as paragraphs.
MAX_TABLES = 12
# Characters up to which the cells of a row share one line; of a table with borders or
# headings each row is one line.
MAX_ROW = 200

_NEVER_SHOWN = frozenset(("script", "style", "title", "template", "datalist", "rp"))
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_PRESERVED = frozenset(("pre", "listing", "xmp", "plaintext", "textarea"))
_PARAGRAPHS = frozenset(
    [
        *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "menu", "dir", "dl"),
        *("blockquote", "fieldset", "figure", "listing", "plaintext", "pre", "table"),
        "xmp",
    ]
)
_BLOCKS = frozenset(
    [
        *_PARAGRAPHS,
        *("address", "article", "aside", "body", "caption", "center", "dd", "details"),
        *(
            "div",
            "dt",
            "figcaption",
            "footer",
            "form",
            "header",
            "hgroup",
            "hr",
            "html",
        ),
        *("legend", "li", "main", "nav", "noframes", "noscript", "optgroup", "option"),
        *("search", "section", "summary", "tbody", "td", "textarea", "tfoot", "th"),
        *("thead", "tr"),
    ]
)
# Fields of a form whose value is not seen.
_NO_VALUE = frozenset(("hidden", "checkbox", "radio", "image", "password", "file"))
# A paragraph of Word, whose style sheet takes its margins away.
_WORD_PARAGRAPH = re.compile(r"\bMso(?:Normal|ListParagraph|PlainText)")

_LETTER = re.compile(r"\w")
_NUMBER = re.compile(r"\s*(-?\d{1,6})\s*\Z")
_RULE = "-" * 20


@dataclass(slots=True)
class _Table:
    has_borders: bool
    row: list[list[str]] = field(default_factory=list)
    outer: list[Lines] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """What is restored at the end of an element."""

    style: Style
    prefix: str
    number: int | None
    has_gap: bool = False


class Layout:
    """Lays out one tree. With `shows_hidden` text that the sender hid is shown too."""

    def __init__(self, *, shows_hidden: bool = False) -> None:
        self._shows_hidden = shows_hidden
        self._lines = Lines()
        self._style = Style()
        self._open: list[_Open] = []
        self._links: list[Link | None] = []
        # None for a table that is too deep to be laid out as one.
        self._tables: list[_Table | None] = []
        self._lists = 0
        self._number: int | None = None  # of the next item; None in an unnumbered list

    def of(self, root: etree._Element) -> str:
        """Returns the text of a tree."""
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "start":
                if self._starts(element):
                    self._text(_without_first_line_end(element))
                else:
                    walk.skip_subtree()
                    self._open.append(_REMOVED)
            else:
                self._ends(element.tag)
                self._text(element.tail)
        return "\n".join(self._lines.finish()).strip("\n")

    def _starts(self, element: etree._Element) -> bool:
        """Opens an element; returns False if it is not shown."""
        tag, attributes = element.tag, element.attrib
        if tag in _NEVER_SHOWN:
            return False
        declared = html_style.declarations(attributes.get("style", ""))
        is_removed = html_style.is_removed(attributes, declared)
        if is_removed and not self._shows_hidden:
            return False
        self._open.append(_Open(self._style, self._lines.prefix, self._number))
        self._style = html_style.inherited(self._style, tag, declared)
        if tag == "font" and attributes.get("size"):
            self._style = replace(self._style, has_size=True)
        if tag in _PRESERVED:
            self._style = replace(self._style, is_preserved=True)
        if tag in _BLOCKS:
            self._starts_block(tag, attributes, declared)
        elif tag == "br":
            self._lines.end_line(is_preserved=self._style.is_preserved)
        elif tag == "a":
            self._links.append(html_links.link(attributes.get("href", "")))
        elif tag in ("img", "area", "input", "button"):
            self._replaced(tag, attributes)
        return True

    def _starts_block(
        self, tag: str, attributes: Mapping[str, str], declared: Mapping[str, str]
    ) -> None:
        self._lines.end_block()
        lines = self._lines
        has_gap = _has_gap(tag, attributes, declared)
        self._open[-1].has_gap = has_gap and not (tag in _LISTS and self._lists)
        if self._open[-1].has_gap and not lines.marker:
            lines.leave_gap()
        if tag == "blockquote":
            lines.indent("> ")
        elif tag in _LISTS:
            self._lists += 1
            start = _NUMBER.match(attributes.get("start", "1"))
            self._number = (int(start[1]) if start else 1) if tag == "ol" else None
        elif tag == "li":
            self._starts_item(attributes)
        elif tag == "dd":
            lines.indent("  ")
        elif tag == "hr":
            self._visible_line(_RULE)
        elif tag == "table":
            self._starts_table(attributes)
        elif tag == "tr":
            self._ends_row()
        elif tag in ("td", "th"):
            self._starts_cell(tag)

    def _starts_item(self, attributes: Mapping[str, str]) -> None:
        value = _NUMBER.match(attributes.get("value", ""))
        if value and self._number is not None:
            self._number = int(value[1])
        mark = "- " if self._number is None else f"{self._number}. "
        lines = self._lines
        if self._style.is_seen or self._shows_hidden:
            lines.marker = f"{lines.marker or lines.prefix}{mark}"
        lines.indent(" " * len(mark))

    def _starts_table(self, attributes: Mapping[str, str]) -> None:
        if len(self._tables) >= MAX_TABLES:
            self._tables.append(None)
            return
        border = attributes.get("border", "0").strip()
        self._tables.append(_Table(has_borders=border not in ("", "0")))

    def _starts_cell(self, tag: str) -> None:
        table = self._tables[-1] if self._tables else None
        if table is None:
            return
        if tag == "th":
            table.has_borders = True
        table.outer.append(self._lines)
        self._lines = Lines()

    def _replaced(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Shows what stands for a picture or a field of a form."""
        if tag in ("img", "area"):
            alt = " ".join(attributes.get("alt", "").split())
            # A picture without a word in its text is a character, such as a smile.
            self._text(f"[{alt}]" if _LETTER.search(alt) else alt)
            if tag == "area" and (link := html_links.link(attributes.get("href", ""))):
                self._tell(link)
        elif tag == "input" and attributes.get("type", "").lower() not in _NO_VALUE:
            self._text(attributes.get("value"))

    def _ends(self, tag: str) -> None:
        opened = self._open.pop()
        if opened is _REMOVED:
            return
        if tag == "a" and (link := self._links.pop()):
            self._tell(link)
        if tag in _BLOCKS:
            self._ends_block(tag)
        self._style = opened.style
        self._lines.prefix = opened.prefix
        if opened.has_gap:
            self._lines.leave_gap()
        if tag == "li" and opened.number is not None:
            self._number = (self._number or opened.number) + 1
        elif tag in _LISTS:
            self._number = opened.number

    def _ends_block(self, tag: str) -> None:
        self._lines.end_block()
        if tag in _LISTS:
            self._lists -= 1
        elif tag == "li":
            self._lines.marker = ""
        elif tag in ("td", "th"):
            self._ends_cell()
        elif tag == "tr":
            self._ends_row()
        elif tag == "table":
            self._ends_row()
            self._tables.pop()

    def _ends_cell(self) -> None:
        table = self._tables[-1] if self._tables else None
        if table is not None and table.outer:
            table.row.append(self._lines.finish())
            self._lines = table.outer.pop()

    def _ends_row(self) -> None:
        table = self._tables[-1] if self._tables else None
        if table is None or not table.row:
            return
        row, table.row = table.row, []
        filled = [cell for cell in row if cell]
        if not filled:
            self._lines.leave_gap()
            return
        self._lines.end_block()
        side_by_side = row if table.has_borders else filled
        is_flat = len(side_by_side) > 1 and all(len(cell) == 1 for cell in filled)
        if is_flat and table.has_borders:
            cells = (cell[0] if cell else "" for cell in row)
            self._lines.add_line(" | ".join(cells).rstrip())
        elif is_flat and sum(len(cell[0]) for cell in filled) <= MAX_ROW:
            self._lines.add_line(" | ".join(cell[0] for cell in filled))
        else:
            self._stack(filled)

    def _stack(self, cells: list[list[str]]) -> None:
        """Adds the cells of a row below each other, where one line cannot hold them."""
        if len(cells) > 1:
            self._lines.leave_gap()
        for cell in cells:
            for line in cell:
                self._lines.add_line(line)
        if len(cells) > 1:
            self._lines.leave_gap()

    def _text(self, text: str | None) -> None:
        if not text or not (self._shows_hidden or self._style.is_seen):
            return
        self._lines.add(text, is_preserved=self._style.is_preserved)
        if self._links and (link := self._links[-1]) and not text.isspace():
            link.words.append(text)

    def _visible_line(self, text: str) -> None:
        if self._shows_hidden or self._style.is_seen:
            self._lines.add_line(text)

    def _tell(self, link: Link) -> None:
        """Adds a link's target, unless its text says it already."""
        if not link.is_told and (self._shows_hidden or self._style.is_seen):
            self._lines.add_behind(f"<{link.target}>", has_ended=bool(link.words))


_REMOVED = _Open(Style(), "", None)


def _without_first_line_end(element: etree._Element) -> str | None:
    # HTML Standard §13.2.6.4.7: it is there for the reader of the markup alone.
    text: str | None = element.text
    return text.removeprefix("\n") if text and element.tag in _PRESERVED else text


def _has_gap(
    tag: str, attributes: Mapping[str, str], declared: Mapping[str, str]
) -> bool:
    if tag not in _PARAGRAPHS:
        return False
    if tag != "p" or not attributes:
        return True
    is_word = _WORD_PARAGRAPH.search(attributes.get("class", ""))
    return not (is_word or html_style.has_no_margin(declared))
