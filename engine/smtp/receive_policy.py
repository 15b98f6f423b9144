"""Decides what organisations' own mail servers may send."""

from __future__ import annotations

from functools import partial

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.address_rewriting import rewrite_header
from engine.mail.authors import authors
from engine.mail.errors import PermanentFailure, TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.queue.models import Source
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import Proof
from engine.routing import author_claims, policies
from engine.routing.routes import ConnectionFacts, Routes
from engine.routing.sending_stops import check_not_stopped
from engine.smtp import cloud_tenant_proof
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.listener_policy import ListenerPolicy
from engine.smtp.session_binding import Binding, Peer, bind_by_peer

SUSPENDED = "This connection is suspended; please call the helpdesk"


class ReceivePolicy(ListenerPolicy):
    """Admits a server that is bound to one connection of an active organisation."""

    source = Source.RECEIVE

    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
        """Binds to the connection whose credential this is."""
        found = authentication.authenticate_connection(
            username, secret, peer=str(peer.address)
        )
        if found is None:
            return None
        return Binding(
            found.organisation_id,
            str(Proof.CREDENTIAL),
            connection_id=found.pk,
            digests=generated_secrets.digests(secret),
        )

    def sign_in_delay(self, username: str, peer: Peer) -> float:
        """Returns the seconds to wait after wrong passwords, before the next is checked."""
        return authentication.connection_delay(username, peer=str(peer.address))

    def is_sign_in_valid(self, binding: Binding) -> bool:
        """Returns False once the credential was revoked."""
        return authentication.is_connection_credential_valid(binding.digests)

    def bind(self, routes: Routes, peer: Peer) -> Binding | None:
        """Binds to a connection by client certificate or source address."""
        return bind_by_peer(routes, peer)

    def check_binding(self, routes: Routes, binding: Binding) -> None:
        """Refuses a connection that is suspended, stopped or proves itself otherwise."""
        # A provider's servers carry every tenant's mail. That a tenant is suspended is
        # reported only once a message has proved to come from that tenant.
        if not binding.providers:
            _active_connection(routes, binding)

    def check_sender(
        self, routes: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        """Returns the sender with the suffix, if the organisation may send from it."""
        if sender is None:
            return None
        connection = _sending_connection(routes, binding, sender)
        policies.check_connection_can_send_as(
            routes, connection=connection, address=sender
        )
        check_not_stopped(routes, connection.organisation_id, addresses=[sender])
        return connection.domains.to_community(sender)

    def confirm_binding(
        self, routes: Routes, binding: Binding, evidence: Evidence
    ) -> Binding:
        """Binds a message from a cloud provider's servers to its tenant."""
        if binding.providers:
            return cloud_tenant_proof.confirm_tenant(routes, binding, evidence)
        return binding

    def check_header(
        self,
        routes: Routes,
        binding: Binding,
        sender: Address | None,
        header: HeaderBlock,
    ) -> HeaderBlock:
        """Checks From, Sender and display names, and adds the suffix to addresses."""
        connection = _active_connection(routes, binding)
        check = partial(
            policies.check_connection_can_send_as, routes, connection=connection
        )
        written_by = authors(header)
        for author in written_by:
            # A server's own bounces come from its host name, below one of its domains.
            host_of = routes.owner_of_host(author) if sender is None else None
            if host_of == connection.organisation_id:
                continue
            check(address=author)
        # The sender again: it may have been stopped since MAIL.
        check_not_stopped(
            routes, connection.organisation_id, addresses=[sender, *written_by]
        )
        author_claims.check_claims(routes, header, check, is_notice=sender is None)
        return rewrite_header(header, connection.domains.to_community)


def _sending_connection(
    routes: Routes, binding: Binding, sender: Address
) -> ConnectionFacts:
    """Returns the bound connection; for a provider's servers, the one it seems to be."""
    if binding.providers:
        return cloud_tenant_proof.candidates(routes, binding, sender)[0]
    return _active_connection(routes, binding)


def _active_connection(routes: Routes, binding: Binding) -> ConnectionFacts:
    """Returns the bound connection as it is now: it may have been suspended since."""
    if binding.connection_id is None:
        raise LookupError("A receiving session is bound to a connection.")
    connection = routes.connection(binding.connection_id)
    if connection is None:
        # The credential was read from the database; the snapshot, which follows it
        # within a second, does not have the connection yet.
        raise TemporaryFailure(smtp_replies.TRY_LATER)
    if not connection.is_active:
        raise PermanentFailure(smtp_replies.NOT_A_MEMBER.saying(SUSPENDED))
    if connection.proof != binding.proved_by:
        # The organisation changed how it proves itself while the session was open.
        text = "This connection now proves itself in another way; connect again"
        raise PermanentFailure(smtp_replies.AUTH_REQUIRED.saying(text))
    check_not_stopped(routes, connection.organisation_id, connection_id=connection.id)
    return connection
