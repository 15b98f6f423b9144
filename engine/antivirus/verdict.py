"""What a scanner says about a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerdictState(StrEnum):
    """There is no "unknown": a scanner that cannot tell raises ScannerUnavailable."""

    CLEAN = "clean"
    INFECTED = "infected"
    ENCRYPTED = "encrypted"
    """Nothing was found in what could be read; the rest needs a key, or is of a kind that
    the scanner does not open."""


# How clamd's own heuristics, and the embedded scanner, name what they cannot look into.
# Both go on scanning the rest, and name what they find there instead.
_ENCRYPTED = ("Heuristics.Encrypted.", "Postern.Encrypted", "Postern.Unopened")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`signature` names what was found; `scanner` who found it."""

    state: VerdictState
    signature: str = ""
    scanner: str = ""

    @classmethod
    def of(cls, signature: str, *, scanner: str) -> Verdict:
        """The verdict that goes with a signature; clean without one."""
        if not signature:
            return cls(VerdictState.CLEAN, scanner=scanner)
        is_encrypted = signature.startswith(_ENCRYPTED)
        state = VerdictState.ENCRYPTED if is_encrypted else VerdictState.INFECTED
        return cls(state, signature, scanner)

    @property
    def is_infected(self) -> bool:
        return self.state is VerdictState.INFECTED

    @property
    def is_clean(self) -> bool:
        return self.state is VerdictState.CLEAN

    @property
    def is_encrypted(self) -> bool:
        return self.state is VerdictState.ENCRYPTED
