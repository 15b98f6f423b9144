"""A scanner's verdict on a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerdictState(StrEnum):
    """The states of a verdict. A scanner that has none raises ScannerUnavailable."""

    CLEAN = "clean"
    INFECTED = "infected"
    ENCRYPTED = "encrypted"
    """Nothing was found in the readable parts; the rest is encrypted, or of a kind that the
    scanner does not open."""


# The names that clamd's heuristics, and the embedded scanner, give to what they cannot open.
# Both continue with the rest, and report a virus found there instead.
_ENCRYPTED = ("Heuristics.Encrypted.", "Postern.Encrypted", "Postern.Unopened")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state, with the signature that was found and the name of the scanner."""

    state: VerdictState
    signature: str = ""
    scanner: str = ""

    @classmethod
    def of(cls, signature: str, *, scanner: str) -> Verdict:
        """Returns the verdict for a signature; clean for an empty one."""
        if not signature:
            return cls(VerdictState.CLEAN, scanner=scanner)
        is_encrypted = signature.startswith(_ENCRYPTED)
        state = VerdictState.ENCRYPTED if is_encrypted else VerdictState.INFECTED
        return cls(state, signature, scanner)

    @property
    def is_infected(self) -> bool:
        """Whether a virus was found."""
        return self.state is VerdictState.INFECTED

    @property
    def is_clean(self) -> bool:
        """Whether everything was scanned and nothing was found."""
        return self.state is VerdictState.CLEAN

    @property
    def is_encrypted(self) -> bool:
        """Whether nothing was found, and some content could not be scanned."""
        return self.state is VerdictState.ENCRYPTED
