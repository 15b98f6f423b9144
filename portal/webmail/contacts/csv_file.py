"""Address books as CSV, with our own column headings, Outlook's or Google's."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from portal.webmail.contacts.contact_card import Card, ParsedCards, UnreadableFileError

HEADINGS = ("Name", "Address", "Organisation", "Phone", "Note", "Groups")

# Column headings of each value, in lower case; the first non-empty cell is used.
_COLUMNS = {
    "name": ("name", "display name", "e-mail display name", "file as"),
    "given": ("first name", "given name"),
    "family": ("last name", "family name", "surname"),
    "address": (
        "address",
        "e-mail address",
        "email address",
        "e-mail 1 - value",
        "email 1 - value",
        "e-mail",
        "email",
        "primary email",
    ),
    "organisation": (
        "organisation",
        "organization",
        "company",
        "organization name",
        "organization 1 - name",
    ),
    "phone": (
        "phone",
        "business phone",
        "mobile phone",
        "phone 1 - value",
        "primary phone",
        "work phone",
        "home phone",
    ),
    "note": ("note", "notes"),
    "groups": ("groups", "labels", "group membership", "categories"),
}
_CELL_LIMIT = 10_000

# Leading characters that make a spreadsheet evaluate a cell as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read(text: str) -> ParsedCards:
    """Parses a CSV file. Raises UnreadableFileError if it has no address column."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    found = ParsedCards()
    try:
        columns = _columns(next(rows, []))
        for row in rows:
            if any(cell.strip() for cell in row):
                _add_row(found, rows.line_num, columns, row)
    except csv.Error as error:
        raise UnreadableFileError(
            f"Line {rows.line_num} cannot be read as CSV. Export the file again."
        ) from error
    return found


def write(cards: Iterable[Card]) -> str:
    """Formats cards as CSV in which a spreadsheet finds no formula."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(HEADINGS)
    for card in cards:
        cells = (card.name, card.address, card.organisation, card.phone, card.note)
        rows.writerow(map(_escape_formula, (*cells, "; ".join(card.groups))))
    return out.getvalue()


def _delimiter(text: str) -> str:
    """Returns the delimiter: a comma, or the semicolon or tab of other locales."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def _columns(headings: list[str]) -> dict[str, list[int]]:
    """Returns the column numbers of each value, preferred first.

    Raises UnreadableFileError without an address column.
    """
    named = [heading.strip().casefold() for heading in headings]
    columns = {
        kind: [named.index(name) for name in names if name in named]
        for kind, names in _COLUMNS.items()
    }
    if not columns["address"]:
        raise UnreadableFileError(
            "The first line must name the columns, and one of them must be Address, "
            "E-mail Address or E-mail 1 - Value."
        )
    return columns


def _add_row(
    found: ParsedCards, line: int, columns: dict[str, list[int]], row: list[str]
) -> None:
    values = {kind: _first(row, places) for kind, places in columns.items()}
    name = values["name"] or f"{values['given']} {values['family']}".strip()
    groups = values["groups"].replace(":::", ";").split(";")
    # Google's built-in groups, such as "* myContacts".
    named = [g.strip() for g in groups if not g.strip().startswith("*")]
    found.add(f"Line {line}", {**values, "name": name}, named)


def _first(row: list[str], places: list[int]) -> str:
    cells = (
        _unescape_formula(row[at][:_CELL_LIMIT].strip())
        for at in places
        if at < len(row)
    )
    return next(filter(None, cells), "")


def _escape_formula(cell: str) -> str:
    return f"'{cell}" if _may_be_formula(cell) else cell


def _unescape_formula(cell: str) -> str:
    """Reverses `_escape_formula`."""
    return cell[1:] if cell[:1] == "'" and _may_be_formula(cell) else cell


def _may_be_formula(cell: str) -> bool:
    return cell.lstrip("'").startswith(_FORMULA)
