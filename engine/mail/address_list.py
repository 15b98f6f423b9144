"""Reads the address lists of From, Reply-To, To, Cc and the like (RFC 5322 §3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from engine.mail import header_faults, lookalike
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list_parser import Mailbox, mailboxes
from engine.mail.mime.encoded_words import decode_words, encode_text

# Lists that are remembered, up to this length: the same senders, message after message.
CACHED, CACHED_OCTETS = 1024, 200

_ATOMS = re.compile(
    r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(?: [0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*"
)


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """An address and its display name, decoded."""

    name: str
    address: Address

    def __str__(self) -> str:
        """Returns the form for a header: the name quoted or encoded, on one line."""
        name = encode_text(self.name)
        if not name:
            return str(self.address)
        if not name.startswith("=?") and not _ATOMS.fullmatch(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{self.address}>"


def addresses_in(value: bytes) -> list[NamedAddress]:
    """Returns the addresses of a list, groups opened; what is no address is skipped.

    For display, never for decisions: see `strict_addresses_in`.
    """
    return list(named_addresses(value))


def named_addresses(value: bytes) -> Iterator[NamedAddress]:
    """Yields the addresses of a list one by one, for callers that need only a few.

    Names are safe to display: nothing in them hides, reverses or covers other text.
    """
    for mailbox in mailboxes(value):
        if mailbox.address:
            name = lookalike.displayable(decode_words(mailbox.name))
            yield NamedAddress(name, mailbox.address)


def strict_addresses_in(value: bytes) -> list[NamedAddress]:
    """Returns the addresses of a list that all software reads in the same way.

    Decisions about senders use this one: an address that we read and a mail program
    reads differently would let a sender show another's. Raises InvalidAddressError when
    anything in the list is malformed or ambiguous, or when it holds no address; its text
    continues a sentence about the list.
    """
    if len(value) > CACHED_OCTETS:
        return list(_strict(value))
    return list(_remembered(value))


def _strict(value: bytes) -> tuple[NamedAddress, ...]:
    named = []
    for mailbox in mailboxes(value):
        if not mailbox.address or not mailbox.is_plain:
            raise InvalidAddressError(_fault(value, mailbox))
        named.append(NamedAddress(decode_words(mailbox.name), mailbox.address))
    if not named:
        raise InvalidAddressError("it holds no address")
    return tuple(named)


def _fault(value: bytes, mailbox: Mailbox) -> str:
    """Says what is wrong with an element, and how to write it instead."""
    where = f'"{header_faults.start(value[mailbox.start :], header_faults.ELEMENT)}"'
    if mailbox.address is None:
        return f"{where} is no address; write Name <name@domain>"
    return (
        f"{where} could be taken for another address; write the name in quotation marks "
        "before <name@domain>"
    )


_remembered = lru_cache(maxsize=CACHED)(_strict)
