"""Addresses as people type them into a form."""

from __future__ import annotations

from engine.mail.address import Address, InvalidAddressError


def address_key(text: str) -> str:
    """The form under which a person is found; text that is no address stays itself."""
    text = text.strip()
    try:
        return Address.parse(text).key
    except InvalidAddressError:
        return text.casefold()
