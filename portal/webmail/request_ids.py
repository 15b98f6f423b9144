"""Row ids from query strings and forms."""

from __future__ import annotations

from django.http import HttpRequest

# Digits of the largest number that certainly fits a BigAutoField. Python refuses to
# parse very long numbers, and a database refuses ones that overflow its key.
MAX_DIGITS = 18


def parse_id(text: str) -> int | None:
    """Returns the id, or None unless the text is a number that fits a database key."""
    is_id = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_id else None


def query_id(request: HttpRequest, name: str) -> int | None:
    """Returns the id in this query parameter, or None."""
    return parse_id(request.GET.get(name, ""))
