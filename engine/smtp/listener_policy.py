"""Defines the decisions that differ between receiving and submission."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.errors import TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.queue.models import Source
from engine.registry.credentials.scram_exchange import ScramExchange
from engine.routing import policies
from engine.routing.routes import Route, Routes
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.session_binding import Binding, Peer
from engine.storage import quota


class ListenerPolicy(ABC):
    """Decides who may sign in to a listener, and what a bound session may send.

    `routes` is the routing snapshot in memory: only the methods that say so read the
    database, and they run on a database thread. Every check raises MailError with the
    reply for the client.
    """

    source: Source

    def mechanisms(self) -> Sequence[str]:
        """Returns the SASL mechanisms that are offered now, the strongest first."""
        return ("PLAIN", "LOGIN")

    @abstractmethod
    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
        """Returns what the credentials bind to; None when wrong. Reads the database."""

    def authenticate_by_proof(
        self, exchange: ScramExchange, peer: Peer
    ) -> tuple[Binding, bytes] | None:
        """Returns what a SCRAM proof binds to, and our signature; None when wrong.

        Reads the database. Called only where `mechanisms` has SCRAM.
        """
        return None

    @abstractmethod
    def sign_in_delay(self, username: str, peer: Peer) -> float:
        """Returns the seconds to wait after wrong passwords, before the next is checked."""

    @abstractmethod
    def is_sign_in_valid(self, binding: Binding) -> bool:
        """Returns whether a session's credential is still valid. Reads the database."""

    @abstractmethod
    def bind(self, routes: Routes, peer: Peer) -> Binding | None:
        """Binds a session that has not signed in, where this listener allows it."""

    @abstractmethod
    def check_binding(self, routes: Routes, binding: Binding) -> None:
        """Refuses a client that was suspended since the session was bound."""

    @abstractmethod
    def check_sender(
        self, routes: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        """Returns the envelope sender in community form; None is the null sender."""

    def check_recipient(
        self, routes: Routes, sender: Address | None, recipient: Address
    ) -> Route:
        """Returns the route to a recipient, if the sender may write to it now."""
        route = routes.resolve(recipient)
        policies.check_can_reach(routes, route, sender=sender)
        if quota.was_full(route.mailbox_id):
            raise TemporaryFailure(
                smtp_replies.MAILBOX_FULL.saying(
                    f"The mailbox of <{recipient}> is full; try again later"
                )
            )
        return route

    def confirm_binding(
        self, routes: Routes, binding: Binding, evidence: Evidence
    ) -> Binding:
        """Returns the binding of a whole message, where its session left that open."""
        return binding

    @abstractmethod
    def check_header(
        self,
        routes: Routes,
        binding: Binding,
        sender: Address | None,
        header: HeaderBlock,
    ) -> HeaderBlock:
        """Checks the authors in the header and returns it in community form."""
