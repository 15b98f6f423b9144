"""Renders plain text as HTML: escapes everything and links web addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

# Characters of text shown in a page; the rest is on the pages after it.
LENGTH_LIMIT = 500_000
# Addresses that are made links; each costs as much as two thousand characters.
LINKS_LIMIT = 2_000
# Stands for a character that could not be read, or that was lost on the way to us.
LOST = "\ufffd"

_LINK = re.compile(r"\bhttps?://[^\s<>\"\x00-\x20]{1,2000}", re.IGNORECASE)
_CLOSING = ".,;:!?)]}'*_"


def page(text: str, start: str) -> dict[str, object]:
    """Returns the context of one page of a text: it, and where the next page begins.

    `start` is the position that the request asks for, in characters; anything that is
    none means the beginning.
    """
    begin = int(start) if start.isdecimal() and len(start) < 12 else 0
    begin = begin if begin < len(text) else 0
    end = _end_of_page(text, begin)
    return {
        "text": linked(text[begin:end]),
        "has_lost_characters": LOST in text,
        "text_begins_at": begin,
        "text_goes_on_at": end if end < len(text) else None,
    }


def _end_of_page(text: str, begin: int) -> int:
    """Returns the end of the page that begins there: after a line where one ends late."""
    end = begin + LENGTH_LIMIT
    if end >= len(text):
        return len(text)
    line_end = text.rfind("\n", end - LENGTH_LIMIT // 10, end)
    return end if line_end < 0 else line_end + 1


def linked(text: str) -> SafeString:
    """Escapes the text and turns its first LINKS_LIMIT web addresses into links.

    The links open in a new tab and send no referrer.
    """
    return format_html_join("", "{}", ((piece,) for piece in _pieces(text)))


def _pieces(text: str) -> Iterator[SafeString]:
    end = 0
    for found in islice(_LINK.finditer(text), LINKS_LIMIT):
        address = found.group().rstrip(_CLOSING)
        yield escape(text[end : found.start()])
        yield format_html(
            '<a class="govuk-link" href="{}" rel="noopener noreferrer nofollow" '
            'target="_blank">{}</a>',
            address,
            address,
        )
        end = found.start() + len(address)
    yield escape(text[end:])
