"""Reads CSV files as spreadsheets save them, whatever the encoding and delimiter."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from engine.registry.errors import PolicyError
from portal.ui.spreadsheets import FORMULA_PREFIXES

OCTETS_LIMIT = 1024 * 1024
ROWS_LIMIT = 5000
CELL_LIMIT = 500

# Our headings, and other systems' names for the same.
HEADINGS = {
    "name": "name",
    "full name": "name",
    "display name": "name",
    "secure address": "address",
    "address": "address",
    "email": "address",
    "email address": "address",
    "user name": "address",
    "username": "address",
    "job title": "job_title",
    "title": "job_title",
    "phone": "phone",
    "telephone": "phone",
    "town": "town",
    "city": "town",
    "everyday address": "everyday_address",
    "personal email": "everyday_address",
    "exdirectory": "is_ex_directory",
    "keep out of the directory": "is_ex_directory",
}
NEEDED = {"name": "Name", "address": "Secure address"}
TEMPLATE = (
    "Name",
    "Secure address",
    "Job title",
    "Phone",
    "Town",
    "Everyday address",
    "Ex-directory",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: its number, from 1 for the headings, and its cells."""

    line: int
    cells: dict[str, str]


def read(raw: bytes) -> list[Row]:
    """Returns the rows below the headings. Raises PolicyError for an unusable file."""
    if len(raw) > OCTETS_LIMIT:
        raise PolicyError("The file must be smaller than 1 MB.")
    text = _decoded(raw)
    if "\0" in text:
        raise PolicyError("The file is not a CSV file. Save it as CSV and try again.")
    rows = list(_rows(text, _delimiter(text.splitlines())))
    if len(rows) > ROWS_LIMIT:
        raise PolicyError(
            f"The file has more than {ROWS_LIMIT:,} people. Divide it into several."
        )
    return rows


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        headings = next(filter(_is_filled, reader), None)
        if headings is None:
            raise PolicyError("The file is empty.")
        columns = _columns(headings)
        for cells in reader:
            if _is_filled(cells):
                yield Row(reader.line_num, _named(columns, cells))
    except csv.Error as error:
        raise PolicyError(f"Line {reader.line_num} cannot be read.") from error


def _is_filled(cells: list[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _columns(headings: list[str]) -> list[str]:
    """Returns our name for each column; empty for unknown ones."""
    columns = [HEADINGS.get(_plain(heading), "") for heading in headings]
    for name, heading in NEEDED.items():
        if name not in columns:
            raise PolicyError(
                f"The file has no column “{heading}”. Start from the template."
            )
    known = [name for name in columns if name]
    if len(known) != len(set(known)):
        raise PolicyError("Two columns mean the same. Remove one of them.")
    return columns


def _plain(heading: str) -> str:
    return " ".join(heading.replace("_", " ").replace("-", "").casefold().split())


def _named(columns: list[str], cells: list[str]) -> dict[str, str]:
    return {
        name: _cell(cell) for name, cell in zip(columns, cells, strict=False) if name
    }


def _cell(text: str) -> str:
    """Returns the cell on one line, without the quote that `safe_cell` puts before a formula."""
    clean = " ".join(text.split())[: CELL_LIMIT + 1]
    if clean.startswith("'") and clean[1:].startswith(FORMULA_PREFIXES):
        return clean[1:]
    return clean


def _decoded(raw: bytes) -> str:
    """Decodes UTF-8, UTF-16 with a byte order mark, or Windows-1252."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _delimiter(lines: list[str]) -> str:
    headings = next(filter(str.strip, lines), "")
    return max(",;\t", key=headings.count)
