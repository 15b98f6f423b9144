"""One entry of an address book on its way in or out, and a whole file of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.mail.address import Address, InvalidAddressError

# Entries in one file, and octets of it.
CARDS_LIMIT = 5000
SIZE_LIMIT = 2 * 1024 * 1024

# Wrong entries that are told one by one.
PROBLEMS_SHOWN = 50


class UnreadableFileError(ValueError):
    """The file as a whole cannot be taken. The message is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one person, in plain text of one line each."""

    name: str
    address: str
    organisation: str = ""
    phone: str = ""
    note: str = ""
    groups: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return Address.parse(self.address).key


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that cannot be taken: where it stands in the file, and why."""

    place: str
    reason: str


@dataclass(slots=True)
class Cards:
    """What a file held."""

    cards: list[Card] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def take(self, place: str, found: dict[str, str], groups: Iterable[str]) -> None:
        """Take an entry, or note what is wrong with it."""
        if len(self.cards) + len(self.problems) >= CARDS_LIMIT:
            raise UnreadableFileError(
                f"The file holds more than {CARDS_LIMIT:,} contacts. Import it in parts."
            )
        try:
            self.cards.append(_card(found, groups))
        except InvalidAddressError as error:
            self.problems.append(Problem(place, str(error)))


def text_of(data: bytes) -> str:
    """The words of a file, whichever program wrote it. Raises UnreadableFileError."""
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
    # Outlook writes the code page of the computer.
    return ("utf-8-sig", "cp1252")


def _card(found: dict[str, str], groups: Iterable[str]) -> Card:
    """The entry, cut to what is kept. Raises InvalidAddressError."""
    address = found.get("address", "").strip()
    if not address:
        raise InvalidAddressError("There is no e-mail address")
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
    """One line of printable text."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())[:limit].strip()
