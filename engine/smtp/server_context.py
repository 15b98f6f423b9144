"""Holds what all sessions of one SMTP server share."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

from django.conf import settings

from engine.antivirus.scanners.interface import Scanner
from engine.database.threads import DatabaseThreads
from engine.mail import smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.network.connection_limits import Limits
from engine.network.server_connections import OpenConnections
from engine.queue.enqueue.group_commit import GroupCommitter
from engine.queue.models import Source
from engine.registry.credentials.scram_exchange import ScramExchange
from engine.routing import routes
from engine.routing.routes import Routes
from engine.smtp.listener_policy import ListenerPolicy
from engine.smtp.refusal_trace import RefusalTrace
from engine.smtp.session_binding import Binding, Peer


@dataclass
class ServerContext:
    """The policy, certificate, limits and services of one SMTP server.

    Receiving and submission have one each; submission shares its context between the
    port with STARTTLS and the port with implicit TLS. `size_limit` is in octets;
    `tls_context` is replaced when the certificate is renewed.
    """

    policy: ListenerPolicy
    server_name: str
    tls_context: ssl.SSLContext
    scanner: Scanner
    committer: GroupCommitter
    size_limit: int
    threads: DatabaseThreads
    refusals: RefusalTrace = field(default_factory=RefusalTrace)
    limits: Limits = field(
        default_factory=lambda: Limits(settings.POSTERN.smtp_sessions)
    )

    def __post_init__(self) -> None:
        self.sessions = OpenConnections(self.limits, is_known=routes.is_known_source)

    def routes(self) -> Routes:
        """Returns the routing snapshot in memory, which the engine keeps up to date."""
        return routes.held()

    async def authenticate(self, username: str, secret: str, peer: Peer) -> Binding:
        """Returns what the credentials bind a session to.

        After wrong secrets it waits first, while no thread does. Raises MailError when the
        secret is wrong or after too many attempts.
        """
        await asyncio.sleep(self.policy.sign_in_delay(username, peer))
        binding = await self.threads.run(
            self.policy.authenticate, username, secret, peer
        )
        if binding is None:
            raise PermanentFailure(smtp_replies.AUTH_FAILED)
        return binding

    async def authenticate_by_proof(
        self, exchange: ScramExchange, peer: Peer
    ) -> tuple[Binding, bytes]:
        """Returns what `authenticate` does, and our signature, for a SCRAM proof."""
        await asyncio.sleep(self.policy.sign_in_delay(exchange.username, peer))
        proved = await self.threads.run(
            self.policy.authenticate_by_proof, exchange, peer
        )
        if proved is None:
            raise PermanentFailure(smtp_replies.PROOF_FAILED)
        return proved

    async def is_sign_in_valid(self, binding: Binding) -> bool:
        """Returns whether the credential that a session signed in with is still valid."""
        return await self.threads.run(self.policy.is_sign_in_valid, binding)

    def claimed_organisation(self, sender: str) -> int | None:
        """Returns the organisation whose domain an unauthenticated client claims.

        `sender` is an address or just "@domain". Always None for submission, where
        clients are people's mail programs rather than organisations' servers.
        """
        if self.policy.source != Source.RECEIVE:
            return None
        domain = sender.rpartition("@")[2]
        try:
            return self.routes().organisation_of(Address.parse(f"postmaster@{domain}"))
        except InvalidAddressError:
            return None
