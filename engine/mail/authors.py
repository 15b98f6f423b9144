"""Whose name a message bears (RFC 5322 §3.6.2, §3.6.6), and whom it only seems to be from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress, strict_addresses_in
from engine.mail.header import Field, HeaderBlock, MalformedHeader

# In the display names of one message together; each may take IDNA a millisecond.
MAX_CLAIMS = 20

_BESIDE_ADDRESSES = re.compile(r"""[\s<>()\[\],;:"']+""")


def authors(header: HeaderBlock) -> list[Address]:
    """Every address in From and Sender: the ones the sender must be allowed to use.

    Raises MalformedHeader unless there is exactly one From and at most one Sender, and
    every software reads the same addresses in them.
    """
    return [named.address for named in _authors(header)]


def claims(header: HeaderBlock) -> list[Address]:
    """What else the header passes off as its sender's address.

    That is whoever sent it again, and what stands in the authors' display names, which
    is all that many programs show. Raises MalformedHeader like `authors`.
    """
    resent = _named([*header.all("Resent-From"), *header.all("Resent-Sender")])
    return [named.address for named in resent] + _spelt_in(
        named.name for named in (*_authors(header), *resent)
    )


def _authors(header: HeaderBlock) -> list[NamedAddress]:
    written, senders = header.all("From"), header.all("Sender")
    if len(written) != 1 or len(senders) > 1:
        raise MalformedHeader("The header must have one From, and one Sender at most")
    return _named([*written, *senders])


def _named(fields: Iterable[Field]) -> list[NamedAddress]:
    try:
        return [named for field in fields for named in strict_addresses_in(field.value)]
    except InvalidAddressError as error:
        raise MalformedHeader("From or Sender is not a list of addresses") from error


def _spelt_in(names: Iterable[str]) -> list[Address]:
    found = []
    for local, domain in _pairs(names):
        with suppress(InvalidAddressError):
            found.append(Address.parse(f"{local}@{domain.strip('.')}"))
    return found


def _pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """What a reader sees on either side of each @, whatever letters it is made of."""
    pairs: list[tuple[str, str]] = []
    for name in names:
        folded = unicodedata.normalize("NFKC", name) if name else ""
        if "@" not in folded:
            continue
        seen = "".join(filter(str.isprintable, folded))
        for word in _BESIDE_ADDRESSES.split(seen):
            pairs += pairwise(word.split("@"))
        if len(pairs) > MAX_CLAIMS:
            raise MalformedHeader("The names in From hold too many addresses")
    return pairs
