"""Reads from an element's style whether its text is seen, and how it is broken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

# Declarations of one element that are read.
_MAX_DECLARATIONS = 200

_OF_INTEREST = re.compile(r"display|visibility|font|white-space|margin", re.IGNORECASE)
_DECLARATION = re.compile(r"([a-z-]{1,40})\s*:\s*([^;]{1,200})")
_ZERO = re.compile(r"[+-]?0*\.?0*(?:[a-z]{1,4}|%)?\Z")
_RELATIVE = re.compile(r"[\d.+-]+\s*(?:em|ex|%|ch)\Z|smaller\Z|larger\Z|inherit\Z")
_PRESERVED = frozenset(("pre", "pre-wrap", "pre-line", "break-spaces"))


@dataclass(frozen=True, slots=True)
class Style:
    """What an element's children inherit.

    Visibility and a font size of zero are inherited and may be taken back inside;
    `display: none` may not.
    """

    is_visible: bool = True
    has_size: bool = True
    is_preserved: bool = False

    @property
    def is_seen(self) -> bool:
        """Whether text with this style is seen."""
        return self.is_visible and self.has_size


def declarations(text: str) -> dict[str, str]:
    """Returns the declarations of a style attribute that this module reads.

    Of two for one property the last counts, but an important one before others.
    """
    if not _OF_INTEREST.search(text):
        return {}
    found: dict[str, str] = {}
    important: set[str] = set()
    for count, one in enumerate(_DECLARATION.finditer(text.lower())):
        if count == _MAX_DECLARATIONS:
            break
        value, _, mark = one[2].partition("!")
        if mark.strip() == "important":
            important.add(one[1])
        elif one[1] in important:
            continue
        found[one[1]] = value.strip()
    return found


def is_removed(attributes: Mapping[str, str], declared: Mapping[str, str]) -> bool:
    """Whether an element takes no part in the page, with all that is in it.

    `mso-hide` does not count: it hides from Word alone what all others show.
    """
    display = declared.get("display")
    return display == "none" or ("hidden" in attributes and not display)


def inherited(style: Style, tag: str, declared: Mapping[str, str]) -> Style:
    """Returns the style inside an element, from the style around it."""
    # A table takes no font size from around it where a page has no document type.
    if tag == "table" and not style.has_size:
        style = replace(style, has_size=True)
    if not declared:
        return style
    visibility = declared.get("visibility", "inherit")
    if visibility != "inherit":
        style = replace(style, is_visible=visibility not in ("hidden", "collapse"))
    size = declared.get("font-size", "inherit")
    if _ZERO.match(size) and any(map(str.isdigit, size)):
        style = replace(style, has_size=False)
    elif not _RELATIVE.match(size) or "font" in declared:
        style = replace(style, has_size=True)
    space = declared.get("white-space", "inherit")
    if space != "inherit":
        style = replace(style, is_preserved=space in _PRESERVED)
    return style


def has_no_margin(declared: Mapping[str, str]) -> bool:
    """Whether a paragraph stands directly below the one before it."""
    margin = declared.get("margin-top", declared.get("margin", "").split(" ")[0])
    return bool(margin) and bool(_ZERO.match(margin))
