"""What all sessions of one port share."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from django.conf import settings

from engine.antivirus.scanners.interface import Scanner
from engine.mail import smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.places import Limits
from engine.queue.enqueue.group_commit import Committer
from engine.queue.models import Source
from engine.routing import routes
from engine.routing.routes import Routes
from engine.sessions import Sessions
from engine.smtp.listener_policy import Door
from engine.smtp.refusal_trace import Refusals
from engine.smtp.session_binding import Binding, Peer
from engine.threads import DatabaseThreads


@dataclass
class Listener:
    """A port's door, certificate, limits, and the services behind it."""

    door: Door
    server_name: str
    tls_context: ssl.SSLContext
    scanner: Scanner
    committer: Committer
    size_limit: int
    threads: DatabaseThreads
    refusals: Refusals = field(default_factory=Refusals)
    limits: Limits = field(
        default_factory=lambda: Limits(settings.POSTERN.smtp_sessions)
    )

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.limits, is_known=routes.is_known_source)

    def routes(self) -> Routes:
        """The routes in memory; the engine keeps them fresh."""
        return routes.held()

    async def authenticate(self, username: str, secret: str, peer: Peer) -> Binding:
        """Raises MailError when the secret is wrong or there were too many tries."""
        binding = await self.threads.run(self.door.authenticate, username, secret, peer)
        if binding is None:
            raise PermanentFailure(smtp_replies.AUTH_FAILED)
        return binding

    async def still_holds(self, binding: Binding) -> bool:
        """Whether what a session signed in with is still good."""
        return await self.threads.run(self.door.still_holds, binding)

    def owner_of(self, claimed: str) -> int | None:
        """Whose servers say that they are from the address; for the receiving door."""
        if self.door.source != Source.RECEIVE:
            return None
        domain = claimed.rpartition("@")[2]
        try:
            return self.routes().organisation_of(Address.parse(f"postmaster@{domain}"))
        except InvalidAddressError:
            return None
