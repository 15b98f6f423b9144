"""Charsets by the numbers that Windows gives them, as winmail.dat and Rich Text hold them."""

from __future__ import annotations

# Those that are not called "cp" and the number.
_CHARSETS = {
    1200: "utf-16-le",
    10000: "mac-roman",
    20127: "us-ascii",
    20866: "koi8-r",
    21866: "koi8-u",
    50220: "iso-2022-jp",
    50221: "iso-2022-jp",
    50222: "iso-2022-jp",
    51932: "euc-jp",
    51949: "euc-kr",
    54936: "gb18030",
    65001: "utf-8",
    **{28590 + number: f"iso-8859-{number}" for number in range(1, 16)},
}


def charset_of(number: int) -> str:
    """Returns the name that `charset.decode` takes; empty for zero, which is none."""
    return _CHARSETS.get(number, f"cp{number}") if number else ""
