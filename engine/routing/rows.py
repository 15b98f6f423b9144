"""Reads the registry's rows, all or some by id, and sets them in a snapshot.

Loading everything and following a change take the same way through `PARTS`, so that they
cannot come to different results. Whatever is read here must be in the model's `logged`
fields: a test reads the queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import islice
from sys import intern
from typing import Any, TypeAlias

from django.conf import settings
from django.db.models import Model, QuerySet

from engine.mail.address import Address
from engine.registry.models import (
    AccountType,
    Alias,
    Allowance,
    ChangeKind,
    Connection,
    DistributionList,
    Domain,
    Grant,
    ListMember,
    ListPoster,
    Mailbox,
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    Posting,
    Provider,
    ProviderNetworks,
    RoleName,
    SendingStop,
    StopKind,
)
from engine.registry.networks import Network
from engine.routing.facts import (
    AliasFacts,
    AllowanceFacts,
    ConnectionRow,
    DomainFacts,
    ListFacts,
    OrganisationFacts,
    StopFacts,
)
from engine.routing.snapshot import Routes
from engine.routing.sources import SourceClasses

# The ids of the rows that are wanted; None for all of them.
Ids: TypeAlias = Collection[int] | None
Rows: TypeAlias = Mapping[int, Any]
CHUNK = 1000  # rows that are fetched and taken over together, 2 ms


@dataclass(frozen=True, slots=True)
class Part:
    """How rows of one kind are read, and set in a snapshot (None takes one out)."""

    read: Callable[[Ids], Iterable[tuple[int, Any]]]
    put: Callable[[Routes, Rows], Routes]


def read_all(pause: Callable[[], None]) -> Routes:
    """Reads the whole registry as it is committed now.

    `pause` is called after every few rows, so that an event loop in another thread of
    this process gets the interpreter's lock.
    """
    routes = Routes()
    for part in PARTS.values():
        rows: dict[int, Any] = {}
        found = iter(part.read(None))
        while some := dict(islice(found, CHUNK)):
            rows |= some
            pause()
        # All at once: in 250s, each put copied the same dictionaries again and again,
        # and half a million people took 8 s of processor time instead of one.
        routes = part.put(routes, rows)
    # Providers that nothing was looked up for keep what the settings say.
    return with_settings(routes)


def with_settings(routes: Routes) -> Routes:
    """Returns the snapshot with the provider networks that the settings name now."""
    if routes.configured_networks is settings.POSTERN.provider_networks:
        return routes
    return _put_providers(routes, {})


def read_some(kind: ChangeKind, ids: Collection[int]) -> Rows:
    """Reads rows of one kind as they are committed now; None for an id without a row.

    One query, for organisations and for lists three.
    """
    found = dict(PARTS[kind].read(ids))
    return {row_id: found.get(row_id) for row_id in ids}


def put(routes: Routes, kind: ChangeKind, some: Rows) -> Routes:
    """Returns the snapshot with rows of one kind set; None takes one out."""
    return PARTS[kind].put(routes, some)


def _of(rows: QuerySet[Any, Any], ids: Ids, key: str = "pk") -> QuerySet[Any, Any]:
    return rows if ids is None else rows.filter(**{f"{key}__in": ids})


def _fetched(rows: QuerySet[Any, Any], ids: Ids) -> Iterable[Any]:
    """Returns the rows; all of a table a chunk at a time, by a cursor of the server.

    For a few, the cursor's statements would cost more than the rows.
    """
    return rows.iterator(CHUNK) if ids is None else rows


def _organisations(ids: Ids) -> Iterator[tuple[int, OrganisationFacts]]:
    administrators: dict[int, list[int]] = defaultdict(list)
    roles = OrganisationRole.objects.filter(role=RoleName.ADMINISTRATOR).order_by("id")
    held = _of(roles, ids, "organisation_id")
    for row_id, person_id in held.values_list("organisation_id", "person_id"):
        administrators[row_id].append(person_id)
    stops = _stops(ids)
    rows = _of(Organisation.objects.order_by(), ids)
    for row_id, name, status, account_type in rows.values_list(
        "id", "name", "status", "account_type"
    ):
        yield (
            row_id,
            OrganisationFacts(
                name,
                OrganisationStatus(status),
                AccountType(account_type).is_hosted,
                tuple(administrators[row_id]),
                tuple(stops[row_id]),
            ),
        )


def _stops(ids: Ids) -> dict[int, list[StopFacts]]:
    found: dict[int, list[StopFacts]] = defaultdict(list)
    rows = _of(SendingStop.objects.order_by("id"), ids, "organisation_id")
    fields = ("organisation_id", "kind", "subject_id", "address")
    for owner, kind, *who in rows.values_list(*fields):
        found[owner].append(StopFacts(StopKind(kind), *who))
    return found


def _domains(ids: Ids) -> Iterator[tuple[int, DomainFacts]]:
    rows = _of(Domain.objects.verified().order_by(), ids)
    fields = ("id", "organisation_id", "member_domain", "community_domain")
    for row_id, *facts in rows.values_list(*fields):
        yield row_id, DomainFacts(*facts)


def _connections(ids: Ids) -> Iterator[tuple[int, ConnectionRow]]:
    for row in _of(Connection.objects.order_by(), ids):
        yield row.pk, ConnectionRow.of(row)


def _people(ids: Ids) -> Iterator[tuple[int, tuple[str, int | None, bool]]]:
    rows = _of(Person.objects.order_by(), ids).values_list(
        "id", "address", "organisation_id", "is_active"
    )
    for row_id, address, organisation_id, is_active in _fetched(rows, ids):
        # Most addresses of people are those of mailboxes too: interning keeps one copy.
        yield row_id, (intern(address), organisation_id, is_active)


def _mailboxes(ids: Ids) -> Iterator[tuple[int, tuple[str, int, int | None, bool]]]:
    rows = _of(Mailbox.objects.order_by(), ids).values_list(
        "id", "address", "organisation_id", "owner_id", "is_active"
    )
    for row_id, address, *facts in _fetched(rows, ids):
        yield row_id, (intern(address), *facts)


def _grants(ids: Ids) -> Iterator[tuple[int, frozenset[int]]]:
    found: dict[int, set[int]] = defaultdict(set)
    rows = _of(Grant.objects.filter(can_send=True), ids, "person_id")
    for person_id, mailbox_id in rows.values_list("person_id", "mailbox_id"):
        found[person_id].add(mailbox_id)
    for person_id, mailbox_ids in found.items():
        yield person_id, frozenset(mailbox_ids)


def _aliases(ids: Ids) -> Iterator[tuple[int, AliasFacts]]:
    rows = _of(Alias.objects.order_by(), ids).values_list("id", "address", "target")
    for row_id, address, target in _fetched(rows, ids):
        yield row_id, AliasFacts(address, target)


def _lists(ids: Ids) -> Iterator[tuple[int, ListFacts]]:
    members = _by_list(ListMember, ids)
    posters = _by_list(ListPoster, ids)
    for row in _of(DistributionList.objects.order_by(), ids):
        yield (
            row.pk,
            ListFacts(
                id=row.pk,
                address=Address.parse(row.address),
                name=row.name,
                organisation_id=row.organisation_id,
                is_active=row.is_active,
                posting=Posting(row.posting),
                members=tuple(members[row.pk]),
                posters=frozenset(posters[row.pk]),
            ),
        )


def _by_list(model: type[Model], ids: Ids) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    key = "distribution_list_id"
    rows = _of(model._default_manager.order_by("id"), ids, key)
    for list_id, address in _fetched(rows.values_list(key, "address"), ids):
        found[list_id].append(address)
    return found


def _allowances(ids: Ids) -> Iterator[tuple[int, AllowanceFacts]]:
    rows = _of(Allowance.objects.order_by(), ids)
    fields = ("id", "kind", "subject_id", "factor", "until")
    for row_id, *facts in rows.values_list(*fields):
        yield row_id, AllowanceFacts(*facts)


def _providers(
    ids: Ids,
) -> Iterator[tuple[int, tuple[Provider, tuple[Network, ...]]]]:
    rows = _of(ProviderNetworks.objects.order_by(), ids)
    for row_id, provider, networks in rows.values_list("id", "provider", "networks"):
        yield row_id, (Provider(provider), tuple(map(ip_network, networks)))


def _put_providers(routes: Routes, rows: Rows) -> Routes:
    """Combines networks that were looked up with those that tests and the demo set."""
    known = routes.provider_networks.changed(rows)
    networks = [(name, one) for name, own in known.values() for one in own]
    configured = settings.POSTERN.provider_networks
    for provider, own in configured.items():
        networks += [(Provider(provider), network) for network in own]
    return replace(
        routes,
        provider_networks=known,
        configured_networks=configured,
        source_classes=SourceClasses.of(networks),
    )


def _putting(name: str) -> Callable[[Routes, Rows], Routes]:
    """Returns how rows are set in the part of a snapshot that has this name."""

    def put_in(routes: Routes, rows: Rows) -> Routes:
        changed: Any = {name: getattr(routes, name).changed(rows)}
        return replace(routes, **changed)

    return put_in


# What refers to others comes before them: a row that is added while the rest is read
# finds what it refers to, and what was left out is logged.
PARTS: Mapping[ChangeKind, Part] = {
    ChangeKind.LIST: Part(_lists, _putting("lists")),
    ChangeKind.GRANTS: Part(_grants, _putting("grants")),
    ChangeKind.ALIAS: Part(_aliases, _putting("aliases")),
    ChangeKind.MAILBOX: Part(_mailboxes, _putting("mailboxes")),
    ChangeKind.PERSON: Part(_people, _putting("people")),
    ChangeKind.CONNECTION: Part(_connections, _putting("connections")),
    ChangeKind.DOMAIN: Part(_domains, _putting("domains")),
    ChangeKind.ALLOWANCE: Part(_allowances, _putting("allowances")),
    ChangeKind.PROVIDER: Part(_providers, _put_providers),
    ChangeKind.ORGANISATION: Part(_organisations, Routes.with_organisations),
}
