"""Putting any text into a script as a text, whatever it holds."""

from __future__ import annotations

# PowerShell takes each of these for a single quotation mark.
_QUOTES = "'\u2018\u2019\u201a\u201b"


def powershell(text: str) -> str:
    """A single-quoted string: nothing in it is ever looked at."""
    doubled = "".join(c * 2 if c in _QUOTES else c for c in one_line(text))
    return f"'{doubled}'"


def powershell_list(texts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(powershell, texts))


def comment(text: str) -> str:
    """Fit for a comment: it ends neither the line nor PowerShell's own kind."""
    return one_line(text).replace("#>", "# >")


def one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()
