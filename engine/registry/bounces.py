"""Where a distribution list's members return what they cannot take."""

from __future__ import annotations

from engine.mail.address import Address

ENDING = "-bounces"
# Of a list's own name: room for the ending within RFC 5321 §4.5.3.1.1.
NAME_OCTETS = 50


def bounce_address(list_address: Address) -> Address:
    """The envelope sender of a list's messages: `name-bounces` at its domain."""
    name = list_address.local.encode()[:NAME_OCTETS].decode(errors="ignore")
    return Address(name + ENDING, list_address.domain)


def list_key_of(key: str) -> str:
    """The key of the list whose bounce address this key would be; empty for none."""
    local, _, domain = key.rpartition("@")
    name = local.removesuffix(ENDING)
    return "" if name in ("", local) else f"{name}@{domain}"
