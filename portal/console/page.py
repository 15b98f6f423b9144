"""Console pages in Wagtail's frame: from a template, or as data that one template draws.

What the visitor's roles do not permit is left out of a page; the views behind its
buttons check again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from engine.registry.permissions import Permission
from portal.console.access import held_as_staff

PER_PAGE = 50

Breadcrumbs = Sequence[tuple[str, str]]
"""The pages between home and a page, each as URL name and label."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: text with an optional link and note, or a moment in the reader's zone."""

    text: str = ""
    href: str = ""
    at: datetime | None = None
    note: str = ""
    is_alarming: bool = False

    @property
    def is_filled(self) -> bool:
        """False for a cell that shows nothing, which needs no heading beside it."""
        return bool(self.text or self.at or self.note)


Fact = tuple[str, Cell]


@dataclass(frozen=True, slots=True)
class Button:
    """A link to a page that acts, shown to visitors who hold the permission."""

    label: str
    href: str
    permission: Permission
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings; `empty` is the sentence shown without rows."""

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
    """A part of a page: heading, text, buttons, facts and a table, in this order."""

    title: str = ""
    facts: Sequence[Fact] = ()
    table: Table | None = None
    text: str = ""
    buttons: Sequence[Button] = ()


@dataclass(frozen=True, slots=True)
class Tab:
    """One of several pages about the same thing."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page as data. `template` extends console/sections.html, with `more`."""

    title: str
    icon: str
    sections: Sequence[Section]
    above: Breadcrumbs = ()
    tabs: Sequence[Tab] = ()
    filters: forms.Form | None = None
    links: dict[str, Any] = field(default_factory=dict)
    template: str = "sections"
    more: dict[str, Any] = field(default_factory=dict)


def render_page(request: HttpRequest, page: Page) -> HttpResponse:
    """Draws the page, without buttons that the visitor's roles do not permit."""
    held = held_as_staff(request.user)
    sections = [
        (section, [button for button in section.buttons if button.permission in held])
        for section in page.sections
    ]
    context = {
        "sections": sections,
        "tabs": page.tabs,
        "filters": page.filters,
        "links": page.links,
        **page.more,
    }
    return render_template(
        request, page.template, page.title, page.icon, context, above=page.above
    )


def render_template(
    request: HttpRequest,
    template: str,
    title: str,
    icon: str,
    context: dict[str, Any] | None = None,
    *,
    above: Breadcrumbs = (),
) -> HttpResponse:
    """Renders `console/<template>.html` with Wagtail's header and breadcrumbs."""
    trail = [{"url": reverse("wagtailadmin_home"), "label": "Home"}]
    trail += [{"url": reverse(name), "label": label} for name, label in above]
    header = {
        "header_title": title,
        "header_icon": icon,
        "breadcrumbs_items": [*trail, {"url": "", "label": title}],
    }
    return render(request, f"console/{template}.html", {**(context or {}), **header})


def numbered_page(request: HttpRequest, rows: QuerySet[Model]) -> dict[str, Any]:
    """Returns the context for one page of the rows, by `?p=`, with Wagtail's page links.

    For short lists: it counts all rows. `portal.ui.pagination` does not.
    """
    paginator = Paginator(rows, PER_PAGE)
    page = paginator.get_page(request.GET.get("p"))
    return {
        "rows": page,
        "elided_page_range": paginator.get_elided_page_range(page.number),
    }


def state_cell(is_active: bool) -> Cell:
    """Active, or an alarming Suspended."""
    return Cell("Active") if is_active else Cell("Suspended", is_alarming=True)


def yes_or_no(answer: bool) -> Cell:
    """Yes or No."""
    return Cell("Yes" if answer else "No")
