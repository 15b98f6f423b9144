"""The address lists of From, Sender, Reply-To, To, Cc and Resent-* (RFC 5322 §3.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.mail import lookalike
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list_parser import Mailbox, mailboxes
from engine.mail.mime.encoded_words import decode_words, encode_text

_ATOMS = re.compile(
    r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(?: [0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*"
)

# RFC 5322 §2.1.1 allows 998 octets, of which the name of the field may take some.
MAX_LINE_OCTETS = 900
_ENDS = (b",", b";")
_GAPS = (b", ", b",\t", b"; ", b";\t")

Mapping = Callable[[Address], Address | None]


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """An address and the display name that goes with it, decoded."""

    name: str
    address: Address

    def __str__(self) -> str:
        """The form for a header: the name quoted or encoded, never in two lines."""
        name = encode_text(self.name)
        if not name:
            return str(self.address)
        if not name.startswith("=?") and not _ATOMS.fullmatch(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{self.address}>"


def addresses_in(value: bytes) -> list[NamedAddress]:
    """The addresses of the list, groups opened; what is no address is passed over."""
    return list(named_addresses(value))


def named_addresses(value: bytes) -> Iterator[NamedAddress]:
    """Like `addresses_in`, one by one, for those who need the first few only.

    Names are fit to be shown: nothing in them hides, turns or covers other text.
    """
    for mailbox in mailboxes(value):
        if mailbox.address:
            name = lookalike.shown(decode_words(mailbox.name))
            yield NamedAddress(name, mailbox.address)


def strict_addresses_in(value: bytes) -> list[NamedAddress]:
    """The addresses of a list that every other software reads in the same way.

    This is the one to decide on. Raises InvalidAddressError when anything in the list
    is not understood, is ambiguous, or when there is no address in it.
    """
    named = []
    for mailbox in mailboxes(value):
        if not mailbox.address or not mailbox.is_plain:
            raise InvalidAddressError("The list holds something that is no address")
        named.append(NamedAddress(decode_words(mailbox.name), mailbox.address))
    if not named:
        raise InvalidAddressError("There is no address")
    return named


def rewrite(value: bytes, mapping: Mapping) -> bytes:
    """The list with addresses mapped and every other octet as it was.

    `mapping` gives the new address, or None or the same to leave it. An address that
    would become too long (InvalidAddressError) is left as it is. Only when a line has
    become too long for mail does each element get a line of its own.
    """
    edits: list[tuple[int, int, bytes]] = []
    for mailbox in mailboxes(value):
        new = _mapped(mailbox.address, mapping)
        if new:
            edits += _edits(mailbox, new)
    return _refolded(_edited(value, edits)) if edits else value


def _mapped(address: Address | None, mapping: Mapping) -> Address | None:
    if not address:
        return None
    try:
        new = mapping(address)
    except InvalidAddressError:
        return None
    return None if new == address else new


def _edits(mailbox: Mailbox, new: Address) -> Iterator[tuple[int, int, bytes]]:
    """The first word takes the new text; the others go, what is between them stays."""
    if mailbox.address and mailbox.address.local != new.local:
        yield from _replaced(mailbox.local, new.quoted_local)
    yield from _replaced(mailbox.domain, new.domain)


def _replaced(
    words: list[tuple[int, int]], text: str
) -> Iterator[tuple[int, int, bytes]]:
    for start, end in words:
        yield start, end, text.encode()
        text = ""


def _refolded(value: bytes) -> bytes:
    if max(map(len, value.split(b"\r\n"))) <= MAX_LINE_OCTETS:
        return value
    edits = []
    for start in [mailbox.start for mailbox in mailboxes(value)]:
        # White space stays what it was: a fold goes before it (RFC 5322 §2.2.3).
        if value[start - 2 : start] in _GAPS:
            edits.append((start - 1, start - 1, b"\r\n"))
        elif value[start - 1 : start] in _ENDS:
            edits.append((start, start, b"\r\n "))
    return _edited(value, edits)


def _edited(value: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces, position = [], 0
    for start, end, text in edits:
        pieces += [value[position:start], text]
        position = end
    return b"".join([*pieces, value[position:]])
