"""Normalises addresses that people type into a form."""

from __future__ import annotations

from engine.mail.address import Address, InvalidAddressError
from engine.registry.models import Domain


def address_key(text: str) -> str:
    """Returns the key under which a person is found; other text is only case-folded.

    People with a mail server know their address in the form that the server uses: the
    domain is replaced by its form in the community.
    """
    text = text.strip()
    try:
        address = Address.parse(text)
        return address.at(_community_domain(address.domain)).key
    except InvalidAddressError:
        return text.casefold()


def _community_domain(domain: str) -> str:
    pairs = Domain.objects.verified().known_as(domain)
    forms = dict(pairs.values_list("community_domain", "member_domain"))
    return domain if domain in forms else next(iter(forms), domain)
