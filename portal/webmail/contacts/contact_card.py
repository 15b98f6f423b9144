"""One entry of an address book file, and the result of parsing such a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.mail.address import Address, InvalidAddressError
from portal.webmail.contacts import damaged_text

# Entries in one file, and addresses of one entry.
CARDS_LIMIT = 5000
ADDRESSES_LIMIT = 20
GROUPS_LIMIT = 20

# The stored lengths, in characters.
LENGTHS = {"name": 150, "organisation": 200, "phone": 40, "note": 500}
_GROUP_LENGTH = 100
_PLACE_LENGTH = 60

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


@dataclass(frozen=True, slots=True)
class Entry:
    """A contact that a file offers. With doubts, its values may not be those meant."""

    place: str
    card: Card
    doubts: tuple[str, ...] = ()


@dataclass(slots=True)
class RawEntry:
    """An entry as it stands in a file, before its values are checked."""

    place: str
    values: dict[str, str]
    addresses: Sequence[str]
    groups: Sequence[str] = ()
    doubts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ParsedCards:
    """What a file holds: contacts, problems, and a remark on the file as a whole."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    remark: str = ""
    _first: dict[str, Entry] = field(default_factory=dict)

    @property
    def cards(self) -> list[Card]:
        """The contacts of all entries, doubtful ones among them."""
        return [entry.card for entry in self.entries]

    def add(self, raw: RawEntry) -> None:
        """Adds a contact for each address of the entry; a problem for each invalid one.

        Raises UnreadableFileError above CARDS_LIMIT.
        """
        doubts = [*raw.doubts, *_doubts(raw)]
        if len(raw.addresses) > ADDRESSES_LIMIT:
            doubts.append(f"Only the first {ADDRESSES_LIMIT} addresses are read")
        if not raw.addresses:
            self._add_problem(raw.place, "The entry has no e-mail address")
        for address in raw.addresses[:ADDRESSES_LIMIT]:
            try:
                card = _card(raw, address)
            except InvalidAddressError as error:
                self._add_problem(raw.place, f"“{_line(address, 100)}”: {error}")
            else:
                self._add_card(raw.place, card, doubts)

    def _add_card(self, place: str, card: Card, doubts: list[str]) -> None:
        before = self._first.get(card.key)
        if before is not None and before.card.name != card.name:
            doubts = [
                *doubts,
                f"{before.place} has this address for {before.card.name}",
            ]
        self._check_count()
        entry = Entry(place, card, tuple(dict.fromkeys(doubts)))
        self.entries.append(entry)
        self._first.setdefault(card.key, entry)

    def _add_problem(self, place: str, reason: str) -> None:
        self._check_count()
        self.problems.append(ImportProblem(place, reason))

    def _check_count(self) -> None:
        if len(self.entries) + len(self.problems) >= CARDS_LIMIT:
            raise UnreadableFileError(
                f"The file holds more than {CARDS_LIMIT:,} contacts. Import it in parts."
            )


def place_of(kind: str, number: int, name: str) -> str:
    """Names the place of an entry: "Card 3 (Jane Jones)"."""
    return f"{kind} {number} ({_line(name, _PLACE_LENGTH) or 'no name'})"


def _doubts(raw: RawEntry) -> Iterable[str]:
    """Yields what may be wrong with the values of an entry, as sentences."""
    for kind, limit in LENGTHS.items():
        text = raw.values.get(kind, "")
        if len(_line(text, len(text))) > limit:
            yield f"The {kind} is cut: it is longer than {limit} characters"
    if len(raw.groups) > GROUPS_LIMIT:
        yield f"Only the first {GROUPS_LIMIT} groups are read"
    for text in (*(raw.values.get(kind, "") for kind in LENGTHS), *raw.groups):
        yield from damaged_text.doubts(text)


def _card(raw: RawEntry, address: str) -> Card:
    """Returns the entry, cut to the stored lengths. Raises InvalidAddressError."""
    address = str(Address.parse(address.strip()))
    values = {
        kind: _line(raw.values.get(kind, ""), limit) for kind, limit in LENGTHS.items()
    }
    groups = dict.fromkeys(filter(None, (_line(g, _GROUP_LENGTH) for g in raw.groups)))
    name = values.pop("name") or address[: LENGTHS["name"]]
    return Card(name, address, **values, groups=tuple(groups)[:GROUPS_LIMIT])


def _line(text: str, limit: int) -> str:
    """Returns the printable characters of the text in one line."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())[:limit].strip()
