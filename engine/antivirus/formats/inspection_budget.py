"""The cost limit of inspecting one message, and the members found in its files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """What inspecting one message may still cost: members, and octets unpacked.

    `glances` are octets that are searched and not kept.
    """

    members: int = 40_000
    octets: int = 256 * 1024 * 1024
    glances: int = 256 * 1024 * 1024

    def spend(self, octets: int, *, members: int = 1) -> None:
        """Counts octets and members. Raises TooMuchError."""
        self.members -= members
        self.octets -= octets
        if self.members < 0 or self.octets < 0:
            raise TooMuchError


class TooMuchError(Exception):
    """A message has more content than is inspected."""


class UnlistedError(Exception):
    """An archive whose list of files is encrypted, broken or in an unknown form."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: a name that some program may give it, and its first octets.

    `data` is the whole file where it may hold files itself; empty for a name alone, and
    for an encrypted file. `end` are the last octets of a file that is not whole, where
    they were read.
    """

    name: str
    data: bytes = b""
    is_whole: bool = True
    end: bytes = b""
    is_encrypted: bool = False
