"""Looks up senders' names and organisations in the registry, whatever their mail says."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from engine.mail.address import Address, InvalidAddressError
from engine.registry.models import Domain, Mailbox, Person


@dataclass(frozen=True, slots=True)
class KnownSender:
    """A sender's name in the directory and organisation; empty where unknown."""

    name: str = ""
    organisation: str = ""


def organisations_of(addresses: Iterable[str]) -> dict[str, str]:
    """Returns the organisations' names by address, as the addresses are written.

    Addresses outside the community are left out. One query, however many there are. The
    service's own addresses belong to the community by name.
    """
    parsed = _parse_all(addresses)
    domains = {address.domain for address in parsed.values()}
    if not domains:
        return {}
    within = Q(community_domain__in=domains) | Q(member_domain__in=domains)
    rows = Domain.objects.verified().filter(within)
    named = {settings.POSTERN.community_domain: settings.POSTERN.community_name}
    for here, there, name in rows.values_list(
        "member_domain", "community_domain", "organisation__name"
    ):
        named.setdefault(here, name)
        named.setdefault(there, name)
    return {
        written: named[address.domain]
        for written, address in parsed.items()
        if address.domain in named
    }


def known_senders(addresses: Iterable[str]) -> dict[str, KnownSender]:
    """Returns what the registry knows of each address, as it is written. Three queries.

    People who are ex-directory or suspended are known by organisation only.
    """
    parsed = _parse_all(addresses)
    organisations = organisations_of(parsed)
    names = _directory_names({address.key for address in parsed.values()})
    return {
        written: KnownSender(
            name=names.get(address.key, ""),
            organisation=organisations.get(written, ""),
        )
        for written, address in parsed.items()
    }


def directory_names(addresses: Iterable[str]) -> dict[str, str]:
    """Returns the names in the directory by address, as written. Two queries, or none."""
    parsed = _parse_all(address for address in addresses if address)
    names = _directory_names({address.key for address in parsed.values()})
    return {
        written: names[address.key]
        for written, address in parsed.items()
        if address.key in names
    }


def _directory_names(keys: Collection[str]) -> dict[str, str]:
    if not keys:
        return {}
    people = Person.objects.filter(
        address__in=keys, is_active=True, is_ex_directory=False
    )
    mailboxes = Mailbox.objects.filter(
        address__in=keys, is_active=True, is_published=True, owner=None
    )
    return {
        **dict(mailboxes.order_by().values_list("address", "name")),
        **dict(people.order_by().values_list("address", "name")),
    }


def _parse_all(addresses: Iterable[str]) -> dict[str, Address]:
    found = {}
    for written in set(addresses):
        try:
            found[written] = Address.parse(written)
        except InvalidAddressError:
            continue
    return found
