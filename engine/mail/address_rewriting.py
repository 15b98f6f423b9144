"""Addresses of the header, between what a member writes and what the community reads."""

from __future__ import annotations

from engine.mail import address_list
from engine.mail.header import HeaderBlock

# RFC 5322 §3.6.2, §3.6.3 and §3.6.6
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
    ]
)


def rewrite_header(header: HeaderBlock, mapping: address_list.Mapping) -> HeaderBlock:
    """The header with the addresses of originators and recipients mapped.

    `mapping` decides by the address alone; nothing else in the header changes.
    """

    def fn(value: bytes) -> bytes:
        return address_list.rewrite(value, mapping)

    return header.with_each_replaced(ADDRESS_FIELDS, fn)
