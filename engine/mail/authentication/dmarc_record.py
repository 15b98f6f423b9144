"""Parses DMARC records (RFC 9989 §4.7, which replaces RFC 7489)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

MAX_LENGTH = 8_192

# The version comes first, in this case (§4.8).
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")


class Request(StrEnum):
    """What the owner of a domain asks to be done with mail that fails."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def milder(self) -> Request:
        """One step less, as while a domain is testing (t=y)."""
        return Request.QUARANTINE if self is Request.REJECT else Request.NONE


_REQUESTS = frozenset(Request)


class Suffix(StrEnum):
    """Whether a domain is one below which organisations have their domains (psd=)."""

    YES = "y"
    NO = "n"
    UNKNOWN = "u"


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A policy: for the domain itself, for those below it, and for those that do not exist.

    With `is_dkim_strict` and `is_spf_strict` only the very domain counts.
    """

    own: Request
    below: Request
    nowhere: Request
    suffix: Suffix
    is_dkim_strict: bool
    is_spf_strict: bool


def select(texts: Iterable[str]) -> DmarcRecord | None:
    """Returns the policy among a name's TXT records; None unless there is exactly one."""
    found = [text for text in texts if _VERSION.match(text)]
    return parse(found[0]) if len(found) == 1 else None


@lru_cache(maxsize=2048)  # the records of the same members, message after message
def parse(text: str) -> DmarcRecord:
    """Returns the policy in a record. Errors in it leave the usual values (§4.7).

    One in a request asks for nothing (§4.10.1): what its owner meant is unknown.
    """
    tags: dict[str, str] = {}
    for spec in text[:MAX_LENGTH].split(";"):
        name, equals, value = spec.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip().lower())
    if any(tags.get(name, "none") not in _REQUESTS for name in ("p", "sp", "np")):
        tags |= dict.fromkeys(("p", "sp", "np"), "none")
    own = _request(tags.get("p"), Request.NONE)
    below = _request(tags.get("sp"), own)
    nowhere = _request(tags.get("np"), below)
    if tags.get("t") == "y":
        own, below, nowhere = own.milder, below.milder, nowhere.milder
    suffix = tags.get("psd")
    return DmarcRecord(
        own,
        below,
        nowhere,
        Suffix(suffix) if suffix in ("y", "n") else Suffix.UNKNOWN,
        is_dkim_strict=tags.get("adkim") == "s",
        is_spf_strict=tags.get("aspf") == "s",
    )


def _request(text: str | None, usual: Request) -> Request:
    return usual if text is None else Request(text)
