"""One entry of an address book file, and the result of parsing such a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.mail.address import Address, InvalidAddressError

# Entries in one file, and octets of it.
CARDS_LIMIT = 5000
SIZE_LIMIT = 2 * 1024 * 1024

# Problems listed one by one.
PROBLEMS_SHOWN = 50


class UnreadableFileError(ValueError):
    """The file cannot be imported. The message is shown to the user."""


@dataclass(frozen=True, slots=True)
class Card:
    """One contact, each value a single line of plain text."""

    name: str
    address: str
    organisation: str = ""
    phone: str = ""
    note: str = ""
    groups: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The normalised address, which identifies the contact."""
        return Address.parse(self.address).key


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """An entry that cannot be imported: its place in the file, and why."""

    place: str
    reason: str


@dataclass(slots=True)
class ParsedCards:
    """The entries of a file: valid cards, and problems."""

    cards: list[Card] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)

    def add(self, place: str, found: dict[str, str], groups: Iterable[str]) -> None:
        """Adds an entry to the cards or, if its address is invalid, to the problems.

        Raises UnreadableFileError above CARDS_LIMIT entries.
        """
        if len(self.cards) + len(self.problems) >= CARDS_LIMIT:
            raise UnreadableFileError(
                f"The file holds more than {CARDS_LIMIT:,} contacts. Import it in parts."
            )
        try:
            self.cards.append(_card(found, groups))
        except InvalidAddressError as error:
            self.problems.append(ImportProblem(place, str(error)))


def decode_file(data: bytes) -> str:
    """Decodes an uploaded file in any usual encoding. Raises UnreadableFileError."""
    if len(data) > SIZE_LIMIT:
        raise UnreadableFileError("The file is larger than 2 MB. Import it in parts.")
    for encoding in _encodings(data):
        try:
            return data.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
    raise UnreadableFileError("The file is not text. Export it as CSV or vCard.")


def _encodings(data: bytes) -> tuple[str, ...]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    # Outlook exports in the computer's own code page, mostly Windows-1252.
    return ("utf-8-sig", "cp1252")


def _card(found: dict[str, str], groups: Iterable[str]) -> Card:
    """Returns the entry, cut to the stored lengths. Raises InvalidAddressError."""
    address = found.get("address", "").strip()
    if not address:
        raise InvalidAddressError("The entry has no e-mail address")
    address = str(Address.parse(address))
    return Card(
        name=_line(found.get("name", ""), 150) or address[:150],
        address=address,
        organisation=_line(found.get("organisation", ""), 200),
        phone=_line(found.get("phone", ""), 40),
        note=_line(found.get("note", ""), 500),
        groups=tuple(dict.fromkeys(filter(None, (_line(g, 100) for g in groups))))[:20],
    )


def _line(text: str, limit: int) -> str:
    """Returns the printable characters of the text in one line."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())[:limit].strip()
