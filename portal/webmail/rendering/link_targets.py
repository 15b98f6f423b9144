"""Marks links whose text is one address and whose target another."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lxml import html

# Characters of a link's text that are examined; an address on a page is shorter.
_TEXT_LIMIT = 300
_HOST = r"((?:[^\s./@:?#]+\.)+[^\s\d./@:?#]{2,63})"
_ADDRESS = re.compile(
    rf"(?:https?://|mailto:)?(?:[^\s@/]+@)?{_HOST}\.?(?::\d+)?(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_STYLE = "background-color:#fff7bf;color:#0b0c0c"


def mark(root: html.HtmlElement) -> None:
    """Writes the true host behind each link whose text names another host."""
    for link in root.iter("a"):
        named = _host_in_text(link)
        target = _host_of(link.get("href", ""))
        if named and target and not _is_same_site(named, target):
            note = html.Element("span", style=_STYLE)
            note.text, note.tail, link.tail = f" [goes to {target}]", link.tail, None
            link.addnext(note)


def _host_in_text(link: html.HtmlElement) -> str:
    text = ""
    for piece in link.itertext():
        text += piece
        if len(text) > _TEXT_LIMIT:
            return ""
    found = _ADDRESS.fullmatch(text.strip())
    return _without_www(found[1]) if found else ""


def _host_of(href: str) -> str:
    try:
        parts = urlsplit(href.strip())
        host = parts.hostname or ""
    except ValueError:
        return ""
    return _without_www(host) if parts.scheme in ("http", "https") else ""


def _without_www(host: str) -> str:
    """Returns a host as an A-label where it can be one, so that lookalikes show."""
    plain = host.lower().removeprefix("www.")
    try:
        return plain.encode("idna").decode("ascii")
    except UnicodeError:
        return plain


def _is_same_site(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
