"""Normalises addresses that people type into a form."""

from __future__ import annotations

from engine.mail.address import Address, InvalidAddressError


def address_key(text: str) -> str:
    """Returns the key under which a person is found; other text is only case-folded."""
    text = text.strip()
    try:
        return Address.parse(text).key
    except InvalidAddressError:
        return text.casefold()
