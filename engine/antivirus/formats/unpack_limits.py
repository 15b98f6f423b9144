"""The limits of the embedded scanner's unpacking, and the signatures beyond them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

MAX_DEPTH = 8  # archives inside archives
MAX_ENTRIES = 5_000  # files in all archives of one message together
MAX_UNPACKED = 256 * 1024 * 1024  # octets, all archives of one message together
MAX_SECONDS = 60.0


class Unscannable(Exception):
    """Something cannot be unpacked, and so must not count as clean.

    `signature` goes into the verdict.
    """

    def __init__(self, signature: str) -> None:
        super().__init__(signature)
        self.signature = signature


LIMITS = "Postern.Limits"
ENCRYPTED = "Postern.Encrypted"
UNREADABLE = "Postern.Unreadable"
UNOPENED = "Postern.Unopened"


@dataclass(slots=True)
class Budget:
    """What unpacking one message may still cost."""

    entries: int = MAX_ENTRIES
    octets: int = MAX_UNPACKED
    has_encrypted: bool = False
    has_closed: bool = False
    ends_at: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)

    def spend_entry(self) -> None:
        """Counts an archive's entry. Raises Unscannable."""
        self.entries -= 1
        if self.entries < 0:
            raise Unscannable(LIMITS)

    def spend_octets(self, count: int) -> None:
        """Counts unpacked octets. Raises Unscannable, TimeoutError."""
        self.octets -= count
        if self.octets < 0:
            raise Unscannable(LIMITS)
        self.check_time()

    def check_time(self) -> None:
        """Raises TimeoutError when the time is used up."""
        if time.monotonic() > self.ends_at:
            raise TimeoutError
