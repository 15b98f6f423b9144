"""Whose name a message bears (RFC 5322 §3.6.2)."""

from __future__ import annotations

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import strict_addresses_in
from engine.mail.header import HeaderBlock, MalformedHeader


def authors(header: HeaderBlock) -> list[Address]:
    """Every address in From and Sender: the ones the sender must be allowed to use.

    Raises MalformedHeader unless there is exactly one From and at most one Sender, and
    every software reads the same addresses in them.
    """
    written, senders = header.all("From"), header.all("Sender")
    if len(written) != 1 or len(senders) > 1:
        raise MalformedHeader("The header must have one From, and one Sender at most")
    try:
        return [
            named.address
            for field in (*written, *senders)
            for named in strict_addresses_in(field.value)
        ]
    except InvalidAddressError as error:
        raise MalformedHeader("From or Sender is not a list of addresses") from error
