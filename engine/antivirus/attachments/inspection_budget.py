"""What is found inside files, and what finding it may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """What looking into one message may cost: members, and octets unpacked.

    `glances` are octets that are looked through and not kept.
    """

    members: int = 40_000
    octets: int = 256 * 1024 * 1024
    glances: int = 256 * 1024 * 1024

    def spend(self, octets: int, *, members: int = 1) -> None:
        """Raises TooMuchError."""
        self.members -= members
        self.octets -= octets
        if self.members < 0 or self.octets < 0:
            raise TooMuchError


class TooMuchError(Exception):
    """A message holds more than anybody looks into."""


@dataclass(frozen=True, slots=True)
class Member:
    """A name that a file inside goes by, and what it begins with.

    `data` is all of it where it may hold files itself; empty for a name alone, and for
    one that `is_encrypted`. `end` are the last octets of one that is not whole, where
    they were read.
    """

    name: str
    data: bytes = b""
    is_whole: bool = True
    end: bytes = b""
    is_encrypted: bool = False
