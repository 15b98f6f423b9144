"""Finds the addresses in a cell or property that holds more than one address alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.mail.address import Address, InvalidAddressError

# What Google writes between several values of one cell.
SEPARATOR = ":::"
# Characters of a cell that are looked at.
_LIMIT = 2_000

# From the start of a word only: else a long word is looked at from each of its letters.
_WORD = (
    r"(?<![^\s<>()\[\],;:\"'“”])[^\s<>()\[\],;:\"'“”@]++@[^\s<>()\[\],;:\"'“”@]++(?!@)"
)
_ANYWHERE = re.compile(_WORD)
# Forms that leave no doubt: Jane Jones <jane@x>, Jane Jones (jane@x), mailto:jane@x.
_KNOWN_FORMS = re.compile(
    rf"(?:mailto:|[^<>()@]*+[<(]\s*+(?:mailto:)?)({_WORD})\s*+[>)]?", re.IGNORECASE
)
_IN_NAME = re.compile(rf"(?<!\s)\s*+[<(]\s*+({_WORD})\s*+[>)]\s*+\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """The addresses of a text, and a sentence where they had to be picked out of it."""

    addresses: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def find(text: str) -> Found:
    """Returns the addresses of a cell. What holds none is returned as it stands."""
    addresses: list[str] = []
    doubts: list[str] = []
    for piece in text[:_LIMIT].split(SEPARATOR):
        written = piece.strip()
        if not written:
            continue
        known = _KNOWN_FORMS.fullmatch(written)
        if _is_address(written):
            addresses.append(written)
        elif known is not None:
            addresses.append(known[1])
        else:
            picked = [word for word in _ANYWHERE.findall(written) if _is_address(word)]
            addresses += picked or [written]
            if picked:
                doubts.append(f"The address is taken from “{written[:100]}”")
    return Found(tuple(dict.fromkeys(addresses)), tuple(doubts))


def without_address(name: str) -> tuple[str, str]:
    """Splits "Jane Jones (jane@firm.example)" into the name and its address.

    The address is empty where the name does not end in one.
    """
    found = _IN_NAME.search(name[:_LIMIT])
    if found is None or not _is_address(found[1]):
        return name, ""
    return name[: found.start()].strip(), found[1]


def _is_address(text: str) -> bool:
    try:
        Address.parse(text)
    except InvalidAddressError:
        return False
    return True
