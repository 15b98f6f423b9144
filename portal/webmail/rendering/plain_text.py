"""Renders plain text as HTML: escapes everything and links web addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

# Characters of text shown in a page; the rest is in the download.
LENGTH_LIMIT = 500_000
# Addresses that are made links; each costs as much as two thousand characters.
LINKS_LIMIT = 2_000

_LINK = re.compile(r"\bhttps?://[^\s<>\"\x00-\x20]{1,2000}", re.IGNORECASE)
_CLOSING = ".,;:!?)]}'*_"


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
