"""The DNS as these proofs see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias


class LookupUnavailable(Exception):
    """The name servers do not answer now; they may later."""


# Takes a name and a type of record. Returns the records as text, none for a name without
# such records, and None for a name that does not exist. Raises LookupUnavailable.
# TXT: the strings of a record joined, one character for each octet. MX: the preference,
# a space and the host.
Lookup: TypeAlias = Callable[[str, str], Awaitable[tuple[str, ...] | None]]
