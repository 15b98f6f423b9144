"""Identifies the client of a session, and what the session is bound to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from engine.network.proxied_connections import ip_of
from engine.network.proxy_header import Endpoint
from engine.registry import senders
from engine.registry.models import Proof, Provider
from engine.registry.senders import Sender
from engine.routing.routes import Routes


@dataclass(frozen=True, slots=True)
class Peer:
    """The client of a connection, as its transport shows it.

    `tls` is the version in use, such as "TLSv1.3"; empty without TLS.
    `certificate_names` are the DNS names of a verified client certificate, casefolded.
    """

    address: IPv4Address | IPv6Address
    tls: str
    certificate_names: frozenset[str]

    @property
    def is_secure(self) -> bool:
        """TLS 1.2 or later is in use; the context admits nothing older."""
        return bool(self.tls)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a session is bound to: one connection of an organisation, or one person.

    `proved_by` names the proof for the trace. `digests` are those of the secret that
    the session signed in with, empty without a sign-in: one under each secret key,
    because its row is keyed again while the secret key is being changed. SCRAM sends no
    secret: `app_password_id` is that of the proof. `generation` is the person's
    `session_generation` at sign-in. `providers` are the cloud providers whose servers
    these may be; then each message has to show its tenant, and neither organisation nor
    connection is known before.
    """

    organisation_id: int | None
    proved_by: str
    connection_id: int | None = None
    person_id: int | None = None
    digests: tuple[str, ...] = field(default=(), repr=False)
    app_password_id: int | None = None
    generation: int = 0
    providers: frozenset[Provider] = frozenset()

    @property
    def owner(self) -> tuple[int | None, int | None, int | None]:
        """The ids of the organisation, the connection and the person."""
        return self.organisation_id, self.connection_id, self.person_id

    @property
    def senders(self) -> list[Sender]:
        """The senders whose rates its messages count towards."""
        return senders.of(
            self.organisation_id,
            person_id=self.person_id,
            connection_id=self.connection_id,
        )

    @property
    def is_signed_in(self) -> bool:
        """Whether the client gave a credential, rather than an address or certificate."""
        return bool(self.digests) or self.app_password_id is not None


def peer_of(transport: Any, client: Endpoint | None = None) -> Peer:
    """Returns the client of an asyncio transport, or `client` behind a load balancer."""
    host, *_ = client or transport.get_extra_info("peername")
    secure: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return Peer(
        address=ip_of(host),
        tls=secure.version() or "" if secure else "",
        certificate_names=_names(secure.getpeercert()) if secure else frozenset(),
    )


def _names(certificate: Any) -> frozenset[str]:
    """Returns the DNS names of a certificate whose chain the context has verified."""
    pairs = (certificate or {}).get("subjectAltName", ())
    return frozenset(value.casefold() for kind, value in pairs if kind == "DNS")


def bind_by_peer(routes: Routes, peer: Peer) -> Binding | None:
    """Binds a session to the connection that its certificate or its address proves."""
    connection = routes.connection_for_certificate(peer.certificate_names)
    proof = Proof.CERTIFICATE
    if connection is None:
        connection = routes.connection_for_source(peer.address)
        proof = Proof.SOURCE
    if connection is None:
        return _bind_to_provider(routes, peer)
    return Binding(connection.organisation_id, str(proof), connection_id=connection.id)


def _bind_to_provider(routes: Routes, peer: Peer) -> Binding | None:
    found = routes.source_classes.of_peer(peer.address, peer.certificate_names)
    return Binding(None, str(Proof.CLOUD), providers=found) if found else None
