"""Who is at the other end of a session, and how we know."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from engine.registry import senders
from engine.registry.models import Proof, Provider
from engine.registry.senders import Sender
from engine.routing.routes import Routes


@dataclass(frozen=True, slots=True)
class Peer:
    """What a session's transport tells of the peer."""

    address: IPv4Address | IPv6Address
    tls: str
    certificate_names: frozenset[str]

    @property
    def is_secure(self) -> bool:
        """TLS 1.2 or later is in use; the context admits nothing older."""
        return bool(self.tls)


@dataclass(frozen=True, slots=True)
class Binding:
    """A session bound to one connection of an organisation, or to one person.

    `digests` are those of the secret it signed in with, where it did: under each secret
    key, for its row is keyed again while the key is changed.
    """

    organisation_id: int | None
    how: str
    connection_id: int | None = None
    person_id: int | None = None
    digests: tuple[str, ...] = field(default=(), repr=False)
    generation: int = 0
    """The person's `session_generation` when they signed in."""
    providers: frozenset[Provider] = frozenset()
    """Whose servers these are, where only a message can show for which tenant."""

    @property
    def senders(self) -> list[Sender]:
        """Whose sending rates its messages count for."""
        return senders.of(
            self.organisation_id,
            person_id=self.person_id,
            connection_id=self.connection_id,
        )

    @property
    def is_signed_in(self) -> bool:
        return bool(self.digests)


def peer_of(transport: Any) -> Peer:
    """Read the peer's facts from an asyncio transport."""
    host = transport.get_extra_info("peername")[0]
    address = ip_address(host.partition("%")[0])
    # A v4 peer of a v6 socket is still that v4 address.
    mapped = getattr(address, "ipv4_mapped", None)
    secure: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return Peer(
        address=mapped or address,
        tls=secure.version() or "" if secure else "",
        certificate_names=_names(secure.getpeercert()) if secure else frozenset(),
    )


def _names(certificate: Any) -> frozenset[str]:
    """DNS names of a client certificate; the context has verified its chain."""
    pairs = (certificate or {}).get("subjectAltName", ())
    return frozenset(value.casefold() for kind, value in pairs if kind == "DNS")


def bind_by_peer(routes: Routes, peer: Peer) -> Binding | None:
    """Bind a session to the connection that its certificate or its address proves."""
    connection = routes.connection_for_certificate(peer.certificate_names)
    how = Proof.CERTIFICATE
    if connection is None:
        connection = routes.connection_for_source(peer.address)
        how = Proof.SOURCE
    if connection is None:
        return _bind_to_provider(routes, peer)
    return Binding(connection.organisation_id, str(how), connection_id=connection.id)


def _bind_to_provider(routes: Routes, peer: Peer) -> Binding | None:
    found = routes.source_classes.of_peer(peer.address, peer.certificate_names)
    return Binding(None, str(Proof.CLOUD), providers=found) if found else None
