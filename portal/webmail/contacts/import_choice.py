"""What a person chooses of a file of contacts before it is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict

from portal.webmail.contacts.contact_card import Card, Entry, ParsedCards

# Doubtful contacts that are shown one by one, each with its own box.
DOUBTS_SHOWN = 100
# Names of the fields of the form.
TAKE, TAKE_OTHERS = "take", "take_others"


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A doubtful contact of the file, under the number that its box has."""

    number: int
    entry: Entry
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The boxes that are ticked: of doubtful contacts shown, and of all the others."""

    numbers: frozenset[str] = frozenset()
    takes_others: bool = False

    @classmethod
    def of(cls, data: QueryDict) -> Choice:
        """Reads the submitted form."""
        numbers = data.getlist(TAKE)[:DOUBTS_SHOWN]
        return cls(frozenset(numbers), takes_others=TAKE_OTHERS in data)

    def shown(self, found: ParsedCards) -> list[Doubtful]:
        """Returns the doubtful contacts that have boxes of their own."""
        doubtful = _doubtful(found)[:DOUBTS_SHOWN]
        return [Doubtful(n, entry, str(n) in self.numbers) for n, entry in doubtful]

    def cards(self, found: ParsedCards) -> list[Card]:
        """Returns the contacts to import: those without doubts, and those chosen."""
        taken = {one.number for one in self.shown(found) if one.is_chosen}
        if self.takes_others:
            taken |= {number for number, _ in _doubtful(found)[DOUBTS_SHOWN:]}
        return [
            entry.card
            for number, entry in enumerate(found.entries)
            if not entry.doubts or number in taken
        ]


def doubtful_count(found: ParsedCards) -> int:
    """Returns how many contacts of the file are doubtful."""
    return len(_doubtful(found))


def sure_cards(found: ParsedCards) -> list[Card]:
    """Returns the contacts without doubts."""
    return Choice().cards(found)


def _doubtful(found: ParsedCards) -> list[tuple[int, Entry]]:
    numbered: Iterable[tuple[int, Entry]] = enumerate(found.entries)
    return [(number, entry) for number, entry in numbered if entry.doubts]
