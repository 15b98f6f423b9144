"""A page of the console as data: facts, tables and buttons, drawn by one template.

What a visitor may not do is not drawn; the views behind the buttons refuse it anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import held_as_staff


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: text, perhaps a link, or a moment that is shown in the reader's zone."""

    text: str = ""
    href: str = ""
    at: datetime | None = None
    note: str = ""
    is_alarming: bool = False

    @property
    def is_filled(self) -> bool:
        return bool(self.text or self.at or self.note)


@dataclass(frozen=True, slots=True)
class Button:
    """A way to a page that does something, for those who may.

    `is_grave` where it takes something away.
    """

    label: str
    href: str
    permission: Permission
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings, or a sentence that says what to do instead."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str

    @property
    def labelled(self) -> Iterator[list[tuple[str, Cell]]]:
        """Each cell with its heading, which a narrow screen shows beside it."""
        for row in self.rows:
            yield list(zip(self.headings, row, strict=False))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page. Buttons stand under its heading."""

    title: str = ""
    facts: Sequence[tuple[str, Cell]] = ()
    table: Table | None = None
    text: str = ""
    buttons: Sequence[Button] = ()


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole page. `above` are the pages between home and this one, as URL and label."""

    title: str
    icon: str
    sections: Sequence[Section]
    above: Sequence[tuple[str, str]] = ()
    tabs: Sequence[Tab] = ()
    filters: forms.Form | None = None
    links: dict[str, Any] = field(default_factory=dict)
    template: str = "sections"
    more: dict[str, Any] = field(default_factory=dict)


def draw(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """The page, without the buttons that the visitor's roles do not carry."""
    held = held_as_staff(request.user)
    sections = [
        (section, [button for button in section.buttons if button.permission in held])
        for section in sheet.sections
    ]
    context = {
        "sections": sections,
        "tabs": sheet.tabs,
        "filters": sheet.filters,
        "links": sheet.links,
        **sheet.more,
    }
    return page.show(
        request,
        sheet.template,
        sheet.title,
        sheet.icon,
        context,
        above=tuple(sheet.above),
    )


def plain(*texts: object) -> list[Cell]:
    """Cells that are text and nothing more."""
    return [Cell(str(text)) for text in texts]


def yes_or_no(answer: bool) -> Cell:
    return Cell("Yes" if answer else "No")
