"""Reads a message's authors, and addresses that their display names pretend to be.

RFC 5322 §3.6.2 (From, Sender, Reply-To) and §3.6.6 (Resent-*).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from engine.mail import lookalike
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import (
    NamedAddress,
    named_addresses,
    strict_addresses_in,
)
from engine.mail.header import Field, HeaderBlock, MalformedHeader

# Signs @ in the names of one message together; each address may take IDNA a millisecond.
MAX_CLAIMS = 20
# Names whose claims are remembered, up to this length.
CACHED, CACHED_LENGTH = 1024, 100
# Characters on each side of an @: nothing longer is an address (RFC 5321 §4.5.3.1).
_MAX_SIDE = 320

_AROUND = " \t<>()[]{},;:.\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb|\\/*_"
# An "a" in a circle, which a reader takes for an @.
_CIRCLED_A = re.compile("\u24d0|\u24b6|\U0001f150|\U0001f170|[aA]\u20dd")
_BRACKETED_AT = re.compile(r"[(\[{<]\s*(?:at|@)\s*[)\]}>]")
_BRACKETED_DOT = re.compile(r"\s*[(\[{<]\s*(?:dot|\.)\s*[)\]}>]\s*")
_BEFORE_LOCAL = re.compile(r"[\s<>()\[\]{},;:\"'`|\\/]")
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_SPREAD_DOMAIN = re.compile(r"[\w-]+(?:(?:\s*\.\s*|\s+dot\s+)[\w-]+)+")
_DOT = re.compile(r"\s*\.\s*|\s+dot\s+")
_WORD_AT = re.compile(r"\sat\s")


class Claim(NamedTuple):
    """Part of a display name that a reader takes for an address.

    `local` may be empty. Unless `is_certain`, it may be ordinary words, such as "Jane at
    Firm": it counts only where the domain turns out to be a member's.
    """

    local: str
    domain: str
    is_certain: bool

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def authors(header: HeaderBlock) -> list[Address]:
    """Returns every address in From and Sender: all that the sender must be allowed to use.

    Raises MalformedHeader unless the header has exactly one From and at most one Sender,
    and all software reads the same addresses in them. Of a repeated field some programs
    show the first and some the last.
    """
    return [named.address for named in _authors(header)]


def resenders(header: HeaderBlock) -> list[Address]:
    """Returns every address in Resent-From and Resent-Sender. Raises MalformedHeader."""
    return [named.address for named in _resent(header)]


def named_authors(header: HeaderBlock) -> list[NamedAddress]:
    """Returns everyone that a reader may take for the sender: From, Sender, Resent-*
    and Reply-To.

    Their display names are all that many mail programs show. Raises MalformedHeader like
    `authors`, and where the names hold too many addresses.
    """
    answers = [n for f in header.all("Reply-To") for n in named_addresses(f.value)]
    found = [*_authors(header), *_resent(header), *answers]
    if sum(named.name.count("@") for named in found) > MAX_CLAIMS:
        raise MalformedHeader(
            "The names in From, Sender and Reply-To hold too many addresses"
        )
    return found


def claims_in(name: str) -> Iterator[Claim]:
    """Yields the addresses that a reader sees in a name, in whatever characters."""
    yield from _claims(name) if len(name) > CACHED_LENGTH else _remembered(name)


def _claims(name: str) -> tuple[Claim, ...]:
    return tuple(_found_claims(name))


# The same names, message after message.
_remembered = lru_cache(maxsize=CACHED)(_claims)


def _found_claims(name: str) -> Iterator[Claim]:
    # One space for each gap, so that no pattern scans a long one repeatedly.
    seen = " ".join(lookalike.ascii_form(_CIRCLED_A.sub("@", name)).split())
    seen = _BRACKETED_AT.sub("@", seen)
    seen = _BRACKETED_DOT.sub(".", seen)
    for left, right in pairwise(seen.split("@")):
        yield from _beside(left, right, is_certain=True)
    for left, right in pairwise(_WORD_AT.split(seen)):
        yield from _beside(left, right, is_certain=False)


def _beside(left: str, right: str, *, is_certain: bool) -> Iterator[Claim]:
    """Yields the address around an @, and the one that results if dots are spaced out."""
    left = left.rstrip(_AROUND)[-_MAX_SIDE:]
    right = right.lstrip(_AROUND)[:_MAX_SIDE]
    written = _BEFORE_LOCAL.split(left)[-1]
    whole, spread = _DOMAIN.match(right), _SPREAD_DOMAIN.match(right)
    if whole and (is_certain or "." in whole[0]):
        domain = whole[0].strip("-_")
        yield Claim(written, domain, is_certain and _is_whole(domain))
    if spread and (not whole or spread[0] != whole[0]):
        yield Claim(written, _DOT.sub(".", spread[0]), is_certain=False)


def _is_whole(domain: str) -> bool:
    """Returns whether a domain cannot be read as a word or a number."""
    _, dot, last = domain.rpartition(".")
    return bool(dot) and len(last) > 1 and not last.isdecimal()


def _authors(header: HeaderBlock) -> list[NamedAddress]:
    written, senders = header.all("From"), header.all("Sender")
    if not written:
        raise MalformedHeader(
            "The header has no From; it must name who wrote the message"
        )
    for fields in (written, senders):
        if len(fields) > 1:
            name, count = fields[0].name, len(fields)
            raise MalformedHeader(f"The header has {count} fields {name}, not one")
    return _named([*written, *senders])


def author_domain(header: HeaderBlock) -> str:
    """Returns the domain of From, as A-labels; empty unless there is exactly one.

    Of a repeated field, and of authors at several domains, readers may see any.
    """
    fields = header.all("From")
    if len(fields) != 1:
        return ""
    try:
        found = strict_addresses_in(fields[0].value)
    except InvalidAddressError:
        return ""
    domains = {one.address.domain for one in found}
    return domains.pop() if len(domains) == 1 else ""


def _resent(header: HeaderBlock) -> list[NamedAddress]:
    return _named([*header.all("Resent-From"), *header.all("Resent-Sender")])


def _named(fields: Iterable[Field]) -> list[NamedAddress]:
    found: list[NamedAddress] = []
    for field in fields:
        try:
            found += strict_addresses_in(field.value)
        except InvalidAddressError as error:
            text = f"{field.name} is not a list of addresses: {error}"
            raise MalformedHeader(text) from error
    return found
