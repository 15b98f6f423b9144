"""Rewrites header addresses from the form a member uses to the community's, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list_parser import Mailbox, mailboxes
from engine.mail.header import HeaderBlock

# RFC 5322 §3.6.2, §3.6.3 and §3.6.6. The last four say where receipts (RFC 8098 §2.1) and
# replies shall go: without the suffix they would leave the community, or be refused.
ADDRESS_FIELDS = frozenset(
    [
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "resent-from",
        "resent-sender",
        "resent-reply-to",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "disposition-notification-to",
        "return-receipt-to",
        "mail-followup-to",
        "mail-reply-to",
    ]
)
# RFC 5322 §2.1.1 allows 998 octets, of which the name of the field may take some.
MAX_LINE_OCTETS = 900
_ENDS = (b",", b";")
_GAPS = (b", ", b",\t", b"; ", b";\t")

Mapping = Callable[[Address], Address | None]


def rewrite_header(header: HeaderBlock, mapping: Mapping) -> HeaderBlock:
    """Returns the header with the addresses of originators and recipients mapped.

    `mapping` decides by the address alone; nothing else in the header changes.
    """

    def rewrite_value(value: bytes) -> bytes:
        return rewrite(value, mapping)

    return header.with_each_replaced(ADDRESS_FIELDS, rewrite_value)


def rewrite(value: bytes, mapping: Mapping) -> bytes:
    """Returns an address list with its addresses mapped and every other octet kept.

    `mapping` returns the new address, or None or the same to leave it. An address that
    would become too long (InvalidAddressError) is left as it is. Lines are folded only
    where one has become too long for mail.
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
    """Yields the edits of one address.

    White space and comments may stand between its words (RFC 5322 §4.4). The first word
    takes the new text and the others go, so that what is between them stays.
    """
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
    """Returns the value with each element on a line of its own, if one is too long."""
    if max(map(len, value.split(b"\r\n"))) <= MAX_LINE_OCTETS:
        return value
    edits = []
    for start in [mailbox.start for mailbox in mailboxes(value)]:
        # A fold goes before white space, which itself stays (RFC 5322 §2.2.3).
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
