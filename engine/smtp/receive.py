"""Mail from organisations' own servers."""

from __future__ import annotations

from engine.mail import reply
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.errors import PermanentFailure, TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.mail.rewrite import rewrite_header
from engine.queue.models import Source
from engine.registry import credentials, policies
from engine.registry.models import Proof
from engine.registry.routes import ConnectionFacts, Route, Routes
from engine.smtp import checks
from engine.smtp.binding import Binding, Peer, bind_by_peer

SUSPENDED = "This connection is suspended; please call the helpdesk"


class ReceiveDoor:
    """Admits a server that is bound to one connection of an active organisation."""

    source = Source.RECEIVE

    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
        found = credentials.find_connection(username, secret, peer=str(peer.address))
        if found is None:
            return None
        return Binding(
            found.organisation_id,
            str(Proof.CREDENTIAL),
            connection_id=found.pk,
            is_signed_in=True,
        )

    def bind(self, known: Routes, peer: Peer) -> Binding | None:
        return bind_by_peer(known, peer)

    def check_sender(
        self, known: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        connection = _active_connection(known, binding)
        if sender is None:
            return None
        policies.check_connection_can_send_as(
            known, connection=connection, address=sender
        )
        return connection.domains.to_community(sender)

    def check_recipient(
        self, known: Routes, sender: Address | None, recipient: Address
    ) -> Route:
        return checks.recipient(known, sender, recipient)

    def check_header(
        self,
        known: Routes,
        binding: Binding,
        sender: Address | None,
        header: HeaderBlock,
    ) -> HeaderBlock:
        connection = _active_connection(known, binding)
        for author in authors(header):
            if sender is None and _is_own_host(known, connection, author):
                continue
            policies.check_connection_can_send_as(
                known, connection=connection, address=author
            )
        return rewrite_header(header, connection.domains.to_community)


def _is_own_host(known: Routes, connection: ConnectionFacts, author: Address) -> bool:
    """A server's own bounces are from its host name: below a domain of theirs, and in
    no domain that is anybody's."""
    return connection.domains.covers_parent_of(author) and not known.is_inside(author)


def _active_connection(known: Routes, binding: Binding) -> ConnectionFacts:
    """The bound connection as it stands now: it may have been suspended since."""
    if binding.connection_id is None:
        raise LookupError("A receiving session is bound to a connection.")
    connection = known.connection(binding.connection_id)
    if connection is None:
        # It signed in just now; the routes in memory learn of it within a second.
        raise TemporaryFailure(reply.TRY_LATER)
    if not connection.is_active:
        raise PermanentFailure(reply.NOT_A_MEMBER.saying(SUSPENDED))
    if connection.proof != binding.how:
        raise PermanentFailure(reply.AUTH_REQUIRED.saying("Prove yourself anew"))
    return connection
