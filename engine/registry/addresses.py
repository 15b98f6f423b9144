"""Whether an address may be given out, and whether it means anything yet."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from engine.mail.address import Address, InvalidAddressError, normal_domain
from engine.registry.bounces import list_key_of
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Alias,
    DistributionList,
    Domain,
    Mailbox,
    Organisation,
    Person,
)


def parsed(text: str) -> Address:
    """The address that somebody typed. Raises PolicyError when it is none."""
    try:
        return Address.parse(text.strip())
    except InvalidAddressError as error:
        raise PolicyError(f"“{text.strip()}” is not an address: {error}.") from error


def parsed_domain(text: str) -> str:
    """The domain that somebody typed, as an A-label. Raises PolicyError."""
    try:
        return normal_domain(text.strip())
    except InvalidAddressError as error:
        raise PolicyError(f"“{text.strip()}” is not a domain name.") from error


def in_community(text: str) -> Address:
    """An address as typed, in community form if it was in an organisation's own."""
    address = parsed(text)
    pair = Domain.objects.verified().filter(member_domain=address.domain).first()
    return address.at(pair.community_domain) if pair else address


def claimed(organisation: Organisation | None, text: str) -> str:
    """The key of a free address in one of the organisation's domains.

    Without an organisation, staff's addresses: in the community's own domain. Raises
    PolicyError when it is elsewhere or taken.
    """
    address = in_community(text)
    if address.domain not in _domains_of(organisation):
        raise PolicyError(
            f"{address} is not in a domain of {organisation or 'the service itself'}."
        )
    check_is_free(address)
    return address.key


def check_is_free(address: Address) -> None:
    """Raise PolicyError where a person, mailbox, alias or list has the address."""
    if is_taken(address.key):
        raise PolicyError(f"{address} is already in use. Choose another address.")


def is_taken(key: str) -> bool:
    return bool(taken_among([key]))


def taken_among(keys: Sequence[str]) -> set[str]:
    """Those of the keys that somebody or something has, a list's bounce address too."""
    found: set[str] = set()
    for model in (Person, Mailbox, Alias):
        rows = model._default_manager.filter(address__in=keys)
        found.update(rows.values_list("address", flat=True))
    meant = {*keys, *map(list_key_of, keys)}
    known = DistributionList.objects.filter(address__in=meant)
    lists = set(known.values_list("address", flat=True))
    found.update(key for key in keys if lists & {key, list_key_of(key)})
    return found


def check_is_reachable(address: Address) -> None:
    """Raise PolicyError unless the address, in community form, means something.

    Whose mailboxes are elsewhere may have any address in their domains.
    """
    relayed = (
        Domain.objects.verified()
        .filter(community_domain=address.domain)
        .exclude(organisation__account_type=AccountType.WEBMAIL)
    )
    if not is_taken(address.key) and not relayed.exists():
        raise PolicyError(f"{address} is not an address in this community.")


def _domains_of(organisation: Organisation | None) -> set[str]:
    if organisation is None:
        return {settings.POSTERN.community_domain}
    # In a domain that is only claimed, nobody writes in its owner's name.
    proved = organisation.domains.verified()
    return set(proved.values_list("community_domain", flat=True))
