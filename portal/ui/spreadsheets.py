"""CSV files that spreadsheets open as text, and never as formulas."""

from __future__ import annotations

# Excel takes UTF-8 without this mark for a legacy encoding, and spoils every accent.
BYTE_ORDER_MARK = "\ufeff"
# OWASP's list of characters with which a spreadsheet begins to evaluate a cell.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n")


class EchoFile:
    """A file-like object whose write returns the text, for csv.writer in a stream."""

    def write(self, text: str) -> str:
        """Returns what it is given."""
        return text


def safe_cell(text: str) -> str:
    """Returns the text, quoted where a spreadsheet would evaluate it as a formula."""
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text
