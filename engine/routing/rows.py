"""Reading all routes from the database: plain tuples, for half a million mailboxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import ip_network
from sys import intern

from django.conf import settings

from engine.mail.address import Address
from engine.mail.lookalike import readable_domain, skeleton
from engine.registry.models import (
    AccountType,
    Alias,
    Connection,
    DistributionList,
    Domain,
    Grant,
    ListMember,
    ListPoster,
    Mailbox,
    Organisation,
    OrganisationStatus,
    Person,
    Posting,
    Proof,
    Provider,
    ProviderNetworks,
)
from engine.registry.networks import Network
from engine.routing import allowances
from engine.routing.facts import ConnectionFacts, ListFacts
from engine.routing.snapshot import OrganisationFacts, Routes
from engine.routing.sources import SourceClasses, SourceIndex
from engine.routing.suffix import DomainMap


def load() -> Routes:
    """Read the registry as it is committed now."""
    domains = list(Domain.objects.verified().order_by())
    connections = _connections(domains)
    lists = {facts.id: facts for facts in _lists()}
    suspended = dict(
        Person.objects.filter(is_active=False).values_list("id", "address")
    )
    return Routes(
        domains=DomainMap.of((d.member_domain, d.community_domain) for d in domains),
        owners={d.community_domain: d.organisation_id for d in domains},
        lookalikes=_lookalikes(domains),
        connections=connections,
        sources=_sources(connections.values()),
        certificates=_certificates(connections.values()),
        source_classes=SourceClasses.of(_provider_networks()),
        mailboxes=_mailboxes(),
        aliases=dict(Alias.objects.order_by().values_list("address", "target")),
        lists=lists,
        lists_by_key={facts.address.key: facts.id for facts in lists.values()},
        bounces_by_key={facts.bounce_address.key: facts.id for facts in lists.values()},
        suspended_people=frozenset(suspended.values()),
        suspended_ids=frozenset(suspended),
        people=_people(),
        group_senders=_group_senders(),
        allowances=allowances.load(),
        # Last: whatever was added while the rest was read, its organisation is there.
        organisations=_organisations(connections.values()),
    )


def _lookalikes(domains: Iterable[Domain]) -> dict[str, int]:
    found: dict[str, int] = {}
    for d in domains:
        for name in map(readable_domain, (d.member_domain, d.community_domain)):
            found[skeleton(name)] = d.organisation_id
            found.setdefault(skeleton(name.partition(".")[0]), d.organisation_id)
    return found


def _connections(domains: Iterable[Domain]) -> dict[int, ConnectionFacts]:
    own: dict[int, list[Domain]] = defaultdict(list)
    for domain in domains:
        own[domain.organisation_id].append(domain)
    rows = Connection.objects.select_related("organisation").order_by("id")
    return {row.pk: ConnectionFacts.of(row, own[row.organisation_id]) for row in rows}


def _organisations(
    connections: Iterable[ConnectionFacts],
) -> dict[int, OrganisationFacts]:
    relays: dict[int, int] = {}
    for facts in connections:
        if facts.is_active and facts.next_hop_host:
            relays.setdefault(facts.organisation_id, facts.id)
    rows = Organisation.objects.order_by().values_list(
        "id", "name", "status", "account_type"
    )
    return {
        row_id: OrganisationFacts(
            name=name,
            status=OrganisationStatus(status),
            is_hosted=AccountType(account_type).is_hosted,
            relay_id=relays.get(row_id),
        )
        for row_id, name, status, account_type in rows
    }


def _sources(connections: Iterable[ConnectionFacts]) -> SourceIndex:
    return SourceIndex.of(
        (network, facts.id)
        for facts in connections
        if facts.proof == Proof.SOURCE
        for network in facts.networks
    )


def _provider_networks() -> Iterable[tuple[Provider, Network]]:
    """As looked up, and where tests and the demo play the provider."""
    for row in ProviderNetworks.objects.order_by():
        for text in row.networks:
            yield Provider(row.provider), ip_network(text)
    for provider, networks in settings.POSTERN.provider_networks.items():
        for network in networks:
            yield Provider(provider), network


def _certificates(connections: Iterable[ConnectionFacts]) -> dict[str, int]:
    """A name that two connections claim proves neither."""
    claims: dict[str, set[int]] = defaultdict(set)
    for facts in connections:
        if facts.proof == Proof.CERTIFICATE and facts.certificate_name:
            claims[facts.certificate_name].add(facts.id)
    return {name: ids.pop() for name, ids in claims.items() if len(ids) == 1}


def _mailboxes() -> dict[str, tuple[int, int, bool]]:
    rows = Mailbox.objects.order_by().values_list(
        "address", "id", "organisation_id", "is_active", "owner__is_active"
    )
    # A group mailbox has no owner, so its owner's activity is None.
    return {
        intern(address): (row_id, organisation_id, is_active and owner is not False)
        for address, row_id, organisation_id, is_active, owner in rows.iterator()
    }


def _people() -> dict[int, str]:
    rows = Person.objects.filter(
        is_active=True, organisation__status=OrganisationStatus.ACTIVE
    )
    pairs = rows.order_by().values_list("id", "address").iterator()
    # The address of a person is most often that of a mailbox: kept once.
    return {row_id: intern(address) for row_id, address in pairs}


def _group_senders() -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    grants = Grant.objects.filter(can_send=True, mailbox__is_active=True)
    for person_id, address in grants.values_list("person_id", "mailbox__address"):
        found[person_id].add(address)
    return {person_id: frozenset(keys) for person_id, keys in found.items()}


def _lists() -> Iterable[ListFacts]:
    members = _by_list(
        ListMember.objects.order_by("id").values_list("distribution_list_id", "address")
    )
    posters = _by_list(
        ListPoster.objects.values_list("distribution_list_id", "address")
    )
    for row in DistributionList.objects.order_by().iterator():
        yield ListFacts(
            id=row.pk,
            address=Address.parse(row.address),
            name=row.name,
            organisation_id=row.organisation_id,
            is_active=row.is_active,
            posting=Posting(row.posting),
            members=tuple(members[row.pk]),
            posters=frozenset(posters[row.pk]),
        )


def _by_list(rows: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for list_id, address in rows:
        found[list_id].append(address)
    return found
