"""What routing knows of the registry's rows: plain values, free of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_network
from typing import NamedTuple, TypeAlias

from engine.mail.address import Address
from engine.registry.addresses.allocation import bounce_address
from engine.registry.models import (
    Connection,
    OrganisationStatus,
    Posting,
    Proof,
    Provider,
    StopKind,
    UnprovenMail,
)
from engine.registry.networks import Network
from engine.routing.suffix import DomainMap

# Half a million rows each: exact tuples, which the garbage collector stops tracking
# (CPython untracks them when all they hold are plain values; named tuples it does not).
PersonRow: TypeAlias = tuple[str, int | None, bool]
"""Address, organisation, whether the person is active."""
MailboxRow: TypeAlias = tuple[str, int, int | None, bool]
"""Address, organisation, owner (None for a group mailbox), whether it is active."""


class RouteKind(StrEnum):
    """What an address turns out to be."""

    MAILBOX = "mailbox"
    CONNECTION = "connection"
    LIST = "list"
    BOUNCES = "bounces"
    ADMINISTRATORS = "administrators"
    """Of an organisation, who read its postmaster@ and abuse@."""
    TLS_REPORTS = "tls_reports"
    """Read by the service itself."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where mail to an address goes. The address is in community form, aliases followed.

    Of the last three ids exactly the one that the kind names is set; bounces have the
    list's, and none for what could not be delivered to administrators. `is_role`: mail to
    the address must reach a person, from any member of the community.
    """

    kind: RouteKind
    address: Address
    organisation_id: int
    mailbox_id: int | None = None
    connection_id: int | None = None
    list_id: int | None = None
    is_role: bool = False

    @property
    def destination(self) -> str:
        """The queue's key for deliveries that go together: `mailbox`, `connection:7`…"""
        match self.kind:
            case RouteKind.MAILBOX:
                return "mailbox"
            case RouteKind.CONNECTION:
                return f"connection:{self.connection_id}"
            case RouteKind.LIST:
                return f"list:{self.list_id}"
            case RouteKind.BOUNCES:
                return f"bounces:{self.list_id or 0}"
            case RouteKind.ADMINISTRATORS:
                return f"administrators:{self.organisation_id}"
            case RouteKind.TLS_REPORTS:
                return "tls_reports"


class StopFacts(NamedTuple):
    """A sender whose mail an operator has stopped; see `SendingStop`."""

    kind: StopKind
    subject_id: int
    address: str


class OrganisationFacts(NamedTuple):
    """An organisation as the mail engine sees it. Administrators are people's ids."""

    name: str
    status: OrganisationStatus
    is_hosted: bool
    administrators: tuple[int, ...] = ()
    stops: tuple[StopFacts, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether its members may send and receive mail."""
        return self.status == OrganisationStatus.ACTIVE


class DomainFacts(NamedTuple):
    """A verified domain pair."""

    organisation_id: int
    member_domain: str
    community_domain: str


class AliasFacts(NamedTuple):
    """One address that means another; both are keys."""

    address: str
    target: str


class ConnectionRow(NamedTuple):
    """A connection's own row, without anything of its organisation's."""

    id: int
    organisation_id: int
    is_active: bool
    proof: Proof
    networks: tuple[Network, ...]
    certificate_name: str
    provider: Provider | None
    tenant_id: str
    next_hop_host: str
    next_hop_port: int
    tls_name: str
    strips_suffix: bool
    subject_tag: str
    unproven_mail: UnprovenMail

    @classmethod
    def of(cls, row: Connection) -> ConnectionRow:
        """Returns what the engine needs of a connection."""
        return cls(
            id=row.pk,
            organisation_id=row.organisation_id,
            is_active=row.is_active,
            proof=Proof(row.proof),
            networks=tuple(map(ip_network, row.source_networks)),
            certificate_name=row.certificate_name.casefold(),
            provider=Provider(row.provider) if row.provider else None,
            tenant_id=row.tenant_id.casefold(),
            next_hop_host=row.next_hop_host,
            next_hop_port=row.next_hop_port,
            tls_name=row.tls_name,
            strips_suffix=row.strips_suffix,
            subject_tag=row.subject_tag,
            unproven_mail=UnprovenMail(row.unproven_mail),
        )


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """A connection and what its organisation adds, as the mail engine sees it.

    `is_active` is false too while the organisation is not active; `domains` are the
    organisation's own.
    """

    id: int
    organisation_id: int
    organisation_name: str
    is_active: bool
    proof: Proof
    networks: tuple[Network, ...]
    certificate_name: str
    provider: Provider | None
    tenant_id: str
    next_hop_host: str
    next_hop_port: int
    tls_name: str
    strips_suffix: bool
    subject_tag: str
    unproven_mail: UnprovenMail
    domains: DomainMap
    verified_domains: frozenset[str]
    """Member domains that were shown to be the organisation's."""

    @classmethod
    def of(
        cls, row: ConnectionRow, organisation: OrganisationFacts, domains: DomainMap
    ) -> ConnectionFacts:
        """Returns a connection with its organisation's facts and domains."""
        known = row._asdict()
        known["is_active"] = row.is_active and organisation.is_active
        return cls(
            **known,
            organisation_name=organisation.name,
            domains=domains,
            verified_domains=frozenset(member for member, _ in domains.pairs),
        )


@dataclass(frozen=True, slots=True)
class ListFacts:
    """A distribution list. Members and posters are keys of addresses."""

    id: int
    address: Address
    name: str
    organisation_id: int
    is_active: bool
    posting: Posting
    members: tuple[str, ...]
    posters: frozenset[str]

    @property
    def bounce_address(self) -> Address:
        """The envelope sender of messages that the list sends to its members."""
        return bounce_address(self.address)


class AllowanceFacts(NamedTuple):
    """A sender that may send more than usual, until a moment or indefinitely."""

    kind: str
    subject_id: int
    factor: int
    until: datetime | None

    def counts_at(self, now: datetime) -> bool:
        """Whether the allowance is in force."""
        return self.until is None or now < self.until
