"""Looks up senders' names and organisations in the registry, whatever their mail says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Q

from engine.mail.address import Address, InvalidAddressError
from engine.registry.models import Domain, Mailbox, Organisation, Person

_FACTS = ["id", "name", "kind", "status"]
# People before mailboxes: the first name found of an address counts.
_LOOK_UP = """
    SELECT 'domain', domain.member_domain, domain.community_domain,
        organisation.id, organisation.name, organisation.kind, organisation.status
        FROM registry_domain domain
        JOIN registry_organisation organisation ON organisation.id = domain.organisation_id
        WHERE domain.verified_at IS NOT NULL
        AND (domain.member_domain IN ({0}) OR domain.community_domain IN ({0}))
    UNION ALL SELECT 'name', address, name, 0, '', '', ''
        FROM registry_person
        WHERE address = %s AND is_active AND NOT is_ex_directory
    UNION ALL SELECT 'name', address, name, 0, '', '', ''
        FROM registry_mailbox
        WHERE address = %s AND is_active AND is_published AND owner_id IS NULL
"""


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


@dataclass(frozen=True, slots=True)
class Correspondents:
    """What one statement found of the addresses on a page.

    `members` are the organisations by address, `names` the names in the directory by key.
    """

    members: dict[str, Organisation]
    names: dict[str, str]


def look_up(addresses: Iterable[str], *, named: str) -> Correspondents:
    """Returns the members' organisations by address, and the directory's name of `named`.

    The organisations have only their name, kind and status. One statement.
    """
    parsed = _parse_all([*addresses, named])
    if not parsed:
        return Correspondents({}, {})
    domains = sorted({address.domain for address in parsed.values()})
    keys = [parsed[named].key] if named in parsed else [""]
    places = ", ".join(["%s"] * len(domains))
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_UP.format(places), [*domains, *domains, *keys, *keys])
        rows = cursor.fetchall()
    by_domain: dict[str, Organisation] = {}
    names: dict[str, str] = {}
    for found, first, second, *facts in rows:
        if found == "domain":
            member = Organisation.from_db(connection.alias, _FACTS, facts)
            by_domain.setdefault(first, member)
            by_domain.setdefault(second, member)
        else:
            names.setdefault(first, second)
    return Correspondents(
        {
            written: by_domain[address.domain]
            for written, address in parsed.items()
            if address.domain in by_domain
        },
        names,
    )


def organisation_names(
    addresses: Iterable[str], members: Mapping[str, Organisation]
) -> dict[str, str]:
    """Returns what `organisations_of` does, from the members that were looked up."""
    service = settings.POSTERN.community_domain
    named = {
        written: settings.POSTERN.community_name
        for written, address in _parse_all(addresses).items()
        if address.domain == service
    }
    return {written: member.name for written, member in members.items()} | named


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
