"""Allocates addresses: whether one is valid, free, reachable, and no loop."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from engine.mail.address import Address, InvalidAddressError, normal_domain
from engine.mail.role_addresses import is_role
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    Alias,
    DistributionList,
    Domain,
    ListMember,
    Mailbox,
    Organisation,
    Person,
)

BOUNCE_SUFFIX = "-bounces"
# Of a list's own name: leaves room for the suffix within the 64 octets of a local part
# (RFC 5321 §4.5.3.1.1).
LIST_NAME_OCTETS = 50


def parse_address(text: str) -> Address:
    """Parses an address as typed. Raises PolicyError if it is not one."""
    try:
        return Address.parse(text.strip())
    except InvalidAddressError as error:
        raise PolicyError(f"“{text.strip()}” is not an address: {error}.") from error


def parse_domain(text: str) -> str:
    """Parses a domain as typed, to an A-label. Raises PolicyError if it is not one."""
    try:
        return normal_domain(text.strip())
    except InvalidAddressError as error:
        raise PolicyError(f"“{text.strip()}” is not a domain name.") from error


def to_community_address(text: str) -> Address:
    """Parses an address as typed, and maps an organisation's own form to the community's.

    Raises PolicyError if it is not an address.
    """
    address = parse_address(text)
    pair = Domain.objects.verified().filter(member_domain=address.domain).first()
    return address.at(pair.community_domain) if pair else address


def available_key(organisation: Organisation | None, text: str) -> str:
    """Returns the key of a free address in one of the organisation's domains.

    Without an organisation the address is for staff, in the community's own domain.
    Raises PolicyError if it is in another domain or taken. Call it inside a verb: only
    the lock that verbs hold keeps the address free until it is stored.
    """
    address = to_community_address(text)
    if address.domain not in domains_of(organisation):
        raise PolicyError(
            f"{address} is not in a domain of {organisation or 'the service itself'}."
        )
    check_is_free(address)
    return address.key


def check_is_free(address: Address) -> None:
    """Raises PolicyError if a person, mailbox, alias or list has the address."""
    if is_taken(address.key):
        raise PolicyError(f"{address} is already in use. Choose another address.")


def is_taken(key: str) -> bool:
    """Returns True if a person, mailbox, alias or list has the address with this key."""
    return bool(taken_among([key]))


def taken_among(keys: Sequence[str]) -> set[str]:
    """Returns those of the keys that are in use, including lists' bounce addresses."""
    found: set[str] = set()
    for model in (Person, Mailbox, Alias):
        rows = model._default_manager.filter(address__in=keys)
        found.update(rows.values_list("address", flat=True))
    wanted = {*keys, *map(list_key_of, keys)}
    known = DistributionList.objects.filter(address__in=wanted)
    lists = set(known.values_list("address", flat=True))
    found.update(key for key in keys if lists & {key, list_key_of(key)})
    return found


def check_is_reachable(address: Address) -> None:
    """Raises PolicyError unless mail to the address, in community form, has a recipient.

    Organisations with their own servers may use any address in their domains: only they
    know which exist. Every domain has postmaster@ and abuse@.
    """
    domain = Domain.objects.verified().filter(community_domain=address.domain)
    if not is_role(address):
        domain = domain.exclude(organisation__account_type=AccountType.WEBMAIL)
    if not is_taken(address.key) and not domain.exists():
        raise PolicyError(f"{address} is not an address in this community.")


def check_no_loop(source: str, target: str) -> None:
    """Raises PolicyError if mail to `target` could come back to `source`.

    Both are keys of addresses. Follows aliases and list members breadth first, one query
    of each kind for each step.
    """
    seen: set[str] = set()
    ahead = {target}
    while ahead:
        if source in ahead:
            raise PolicyError(
                f"{source} would forward mail to itself through {target}. "
                "Choose another address."
            )
        seen |= ahead
        ahead = _forwarded_to(ahead) - seen


def bounce_address(list_address: Address) -> Address:
    """Returns the envelope sender of a list's messages: `name-bounces` at its domain.

    Members' servers return there what they cannot deliver, so that failures are counted
    for the member and do not reach the author.
    """
    name = list_address.local.encode()[:LIST_NAME_OCTETS].decode(errors="ignore")
    return Address(name + BOUNCE_SUFFIX, list_address.domain)


def list_key_of(key: str) -> str:
    """Returns the key of the list that would have this bounce address, or ""."""
    local, _, domain = key.rpartition("@")
    name = local.removesuffix(BOUNCE_SUFFIX)
    return "" if name in ("", local) else f"{name}@{domain}"


def _forwarded_to(keys: set[str]) -> set[str]:
    targets = Alias.objects.filter(address__in=keys).values_list("target", flat=True)
    members = ListMember.objects.filter(
        distribution_list__address__in=keys
    ).values_list("address", flat=True)
    return {*targets, *members}


def domains_of(organisation: Organisation | None) -> set[str]:
    """Returns the domains, in community form, in which it may have addresses."""
    if organisation is None:
        return {settings.POSTERN.community_domain}
    # Unverified domains are only claimed: an address in one would let the claimant
    # write in the name of the domain's real owner.
    verified = organisation.domains.verified()
    return set(verified.values_list("community_domain", flat=True))
