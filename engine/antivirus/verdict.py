"""What a scanner says about a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerdictState(StrEnum):
    """There is no "unknown": a scanner that cannot tell raises ScannerUnavailable."""

    CLEAN = "clean"
    INFECTED = "infected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`signature` names what was found; `scanner` who found it."""

    state: VerdictState
    signature: str = ""
    scanner: str = ""

    @property
    def is_infected(self) -> bool:
        return self.state is VerdictState.INFECTED
