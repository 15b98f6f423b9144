"""Addresses that every domain has, whether or not somebody made them.

RFC 5321 §4.5.1 requires postmaster, and RFC 2142 §4 asks for abuse, so that any sender
with a problem reaches a person there without knowing one.
"""

from __future__ import annotations

from engine.mail.address import Address

NAMES = frozenset({"postmaster", "abuse"})
# The local part that TLS reports are sent to, at the community's domain (RFC 8460).
TLS_REPORTS = "tls-reports"


def is_role(address: Address) -> bool:
    """Whether the address is one of these, in whatever case and with any detail."""
    return without_detail(address).local.casefold() in NAMES


def without_detail(address: Address) -> Address:
    """The address without what follows a plus: `user+detail` is `user` (RFC 5233)."""
    user, plus, _ = address.local.partition("+")
    return Address(user, address.domain) if user and plus else address
