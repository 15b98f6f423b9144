"""What routes tell of a connection and of a list: values, free of the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network

from engine.mail.address import Address
from engine.registry.addresses.allocation import bounce_address
from engine.registry.models import Connection, Domain, Posting, Proof, Provider
from engine.registry.networks import Network
from engine.routing.suffix import DomainMap


class RouteKind(StrEnum):
    """What an address turns out to be."""

    MAILBOX = "mailbox"
    CONNECTION = "connection"
    LIST = "list"
    BOUNCES = "bounces"


@dataclass(frozen=True, slots=True)
class Route:
    """Where mail to an address goes. The address is in community form, aliases followed.

    Of the three ids exactly the one that the kind names is set; bounces are a list's.
    """

    kind: RouteKind
    address: Address
    organisation_id: int
    mailbox_id: int | None = None
    connection_id: int | None = None
    list_id: int | None = None

    @property
    def destination(self) -> str:
        """What its deliveries share: `mailbox`, `connection:7`, `list:3`…"""
        match self.kind:
            case RouteKind.MAILBOX:
                return "mailbox"
            case RouteKind.CONNECTION:
                return f"connection:{self.connection_id}"
            case RouteKind.LIST:
                return f"list:{self.list_id}"
            case RouteKind.BOUNCES:
                return f"bounces:{self.list_id}"


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """A connection as the mail engine sees it. `domains` are its organisation's only."""

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
    domains: DomainMap
    verified_domains: frozenset[str]
    """Member domains that were shown to be the organisation's."""

    @classmethod
    def of(
        cls, connection: Connection, domains: Iterable[Domain] | None = None
    ) -> ConnectionFacts:
        """Read a row; its organisation's domains too, unless the caller has them."""
        organisation = connection.organisation
        own = list(organisation.domains.verified() if domains is None else domains)
        return cls(
            id=connection.pk,
            organisation_id=connection.organisation_id,
            organisation_name=organisation.name,
            is_active=connection.is_active and organisation.is_active,
            proof=Proof(connection.proof),
            networks=tuple(ip_network(text) for text in connection.source_networks),
            certificate_name=connection.certificate_name.casefold(),
            provider=Provider(connection.provider) if connection.provider else None,
            tenant_id=connection.tenant_id.casefold(),
            next_hop_host=connection.next_hop_host,
            next_hop_port=connection.next_hop_port,
            tls_name=connection.tls_name,
            strips_suffix=connection.strips_suffix,
            subject_tag=connection.subject_tag,
            domains=DomainMap.of((d.member_domain, d.community_domain) for d in own),
            verified_domains=frozenset(d.member_domain for d in own),
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
        """The envelope sender of what the list sends on."""
        return bounce_address(self.address)
