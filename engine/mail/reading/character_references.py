"""Reads the character references of HTML (HTML Standard §13.2.5.72)."""

from __future__ import annotations

import html
import re

# Longer numbers name no character, and Python reads none of over 4,300 digits.
_LONG_NUMBER = re.compile(r"&#([0-9]{8,})")


def unescape(text: str) -> str:
    """Returns the text with its references replaced; U+FFFD for what names none."""
    return html.unescape(_LONG_NUMBER.sub(_shortened, text))


def _shortened(found: re.Match[str]) -> str:
    return f"&#{found[1].lstrip('0')[:8] or '0'}"
