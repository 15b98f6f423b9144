"""Address books as CSV, with our own column headings, Outlook's, Google's or others'."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.webmail.contacts import written_addresses
from portal.webmail.contacts.contact_card import (
    Card,
    ParsedCards,
    RawEntry,
    UnreadableFileError,
)
from portal.webmail.contacts.file_text import FileText
from portal.webmail.contacts.written_addresses import SEPARATOR

HEADINGS = ("Name", "Address", "Organisation", "Phone", "Note", "Groups")

# Column headings of each value, in lower case. The first non-empty cell is used, of
# addresses each.
_COLUMNS = {
    "name": ("name", "display name", "e-mail display name", "full name", "file as"),
    "given": ("first name", "given name"),
    "middle": ("middle name", "additional name"),
    "family": ("last name", "family name", "surname"),
    "address": (
        "address",
        "secure address",
        *(
            f"{mail}{number}{last}"
            for number in ("", " 1", " 2", " 3", " 4", " 5")
            for mail in ("e-mail", "email")
            for last in (" address", " - value", "")
        ),
        "primary email",
        "secondary email",
    ),
    "shown": ("e-mail display name", "e-mail 2 display name", "e-mail 3 display name"),
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
        "phone 2 - value",
        "primary phone",
        "work phone",
        "mobile number",
        "home phone",
    ),
    "note": ("note", "notes"),
    "groups": ("groups", "labels", "group membership", "categories"),
}
_CELL_LIMIT = 10_000
# Columns that are looked at.
_WIDTH_LIMIT = 500

# What Excel understands as the first line of a file, and writes for some locales.
_SEPARATOR_LINE = re.compile(r"\"?sep=([,;\t|])\"?\r?\n?", re.IGNORECASE)
_DELIMITERS = ",;\t"

# Leading characters that make a spreadsheet evaluate a cell as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row and the lines that it stands on."""

    cells: list[str]
    lines: range
    is_open: bool
    """A quotation mark is not closed before the end of the file."""


def read(file: FileText) -> ParsedCards:
    """Parses a CSV file. Raises UnreadableFileError if it has no address column."""
    rows = _rows(file.text)
    found = ParsedCards(remark=file.remark)
    headings = next(rows, None)
    columns = _columns(headings.cells if headings else [])
    width = len(headings.cells) if headings else 0
    is_ours = headings is not None and tuple(headings.cells) == HEADINGS
    for row in rows:
        if any(cell.strip() for cell in row.cells):
            doubts = list(_row_doubts(row, width, file.guessed))
            found.add(_entry(columns, row, doubts, is_ours=is_ours))
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


def _rows(text: str) -> Iterator[_Row]:
    """Yields the rows of a file. Raises UnreadableFileError where they cannot be told."""
    separator = _SEPARATOR_LINE.match(text)
    skipped = 1 if separator else 0
    lines = io.StringIO(text[separator.end() :] if separator else text, newline="")
    read = _Counted(lines)
    rows = csv.reader(read, delimiter=separator[1] if separator else _delimiter(text))
    ended = skipped
    try:
        for cells in rows:
            began, ended = ended + 1, rows.line_num + skipped
            quotes, read.quotes = read.quotes, 0
            yield _Row(cells, range(began, ended + 1), is_open=quotes % 2 == 1)
    except csv.Error as error:
        raise UnreadableFileError(
            f"Line {rows.line_num + skipped} cannot be read as CSV. Export the file "
            "again."
        ) from error


class _Counted:
    """The lines of a file, with the number of quotation marks since it was last reset."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = iter(lines)
        self.quotes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.quotes += line.count('"')
        return line


def _delimiter(text: str) -> str:
    """Returns the delimiter: a comma, or the semicolon or tab of other locales."""
    head = text.lstrip("\r\n").partition("\n")[0]
    return max(_DELIMITERS, key=head.count)


def _columns(headings: list[str]) -> dict[str, list[int]]:
    """Returns the column numbers of each value, preferred first.

    Raises UnreadableFileError without an address column.
    """
    named = [heading.strip().casefold() for heading in headings[:_WIDTH_LIMIT]]
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


def _row_doubts(row: _Row, width: int, guessed: frozenset[int]) -> Iterator[str]:
    if any(cell.strip() for cell in row.cells[width:]):
        yield (
            "The line has more cells than the first line names, so that they may be in "
            "the wrong columns"
        )
    if row.is_open:
        yield (
            "A quotation mark is not closed: the rest of the file, to line "
            f"{row.lines[-1]}, was read as this one entry"
        )
    if not guessed.isdisjoint(row.lines):
        yield "The encoding of its letters was guessed"


def _entry(
    columns: dict[str, list[int]], row: _Row, doubts: list[str], *, is_ours: bool
) -> RawEntry:
    values = {kind: _first(row.cells, places) for kind, places in columns.items()}
    full = " ".join(filter(None, (values[k] for k in ("given", "middle", "family"))))
    name, beside = values["name"] or full, ""
    if not is_ours:
        name, beside = written_addresses.without_address(name)
        values["organisation"] = _single(values["organisation"])
        values["phone"] = _single(values["phone"])
    for kind in ("name", "organisation", "phone"):
        if "\n" in values[kind] or "\r" in values[kind]:
            doubts.append(
                f"The {kind} has a line break: a quotation mark may be missing"
            )
    addresses = _addresses(columns, row.cells, doubts)
    if beside and beside.casefold() not in (one.casefold() for one in addresses):
        doubts.append(f"The name holds another address: {beside}")
    groups = values["groups"].replace(SEPARATOR, ";").split(";")
    return RawEntry(
        f"Line {row.lines[0]}",
        {
            "name": full if not name or name in addresses else name,
            "organisation": values["organisation"],
            "phone": values["phone"],
            "note": values["note"],
        },
        addresses,
        # Google's built-in groups, such as "* myContacts".
        [g.strip() for g in groups if not g.strip().startswith("*")],
        doubts,
    )


def _addresses(
    columns: dict[str, list[int]], cells: list[str], doubts: list[str]
) -> list[str]:
    """Returns the addresses of a row.

    Outlook writes the name of an Exchange mailbox for its address, which stands in the
    display name then: "Jane Jones (jane@firm.example)".
    """
    written = [cell for cell in _cells(cells, columns["address"]) if cell]
    addresses: dict[str, None] = {}
    for cell in written:
        if cell.startswith("/") and "@" not in cell:
            shown = map(
                written_addresses.without_address, _cells(cells, columns["shown"])
            )
            picked = [address for _, address in shown if address]
            addresses |= dict.fromkeys(picked or [cell])
            if picked:
                doubts.append("The address is taken from the display name")
            continue
        found = written_addresses.find(cell)
        addresses |= dict.fromkeys(found.addresses)
        doubts += found.doubts
    return list(addresses)


def _single(cell: str) -> str:
    """Returns the first of several values of one cell."""
    return cell.partition(SEPARATOR)[0].strip()


def _first(row: list[str], places: list[int]) -> str:
    return next(filter(None, _cells(row, places)), "")


def _cells(row: list[str], places: list[int]) -> Iterator[str]:
    return (
        _unescape_formula(row[at][:_CELL_LIMIT].strip())
        for at in places
        if at < len(row)
    )


def _escape_formula(cell: str) -> str:
    return f"'{cell}" if _may_be_formula(cell) else cell


def _unescape_formula(cell: str) -> str:
    """Reverses `_escape_formula`."""
    return cell[1:] if cell[:1] == "'" and _may_be_formula(cell) else cell


def _may_be_formula(cell: str) -> bool:
    return cell.lstrip("'").startswith(_FORMULA)
