"""Mail from organisations' own servers."""

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
from engine.routing.routes import ConnectionFacts, Route, Routes
from engine.smtp import checks, cloud_tenant_proof
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.session_binding import Binding, Peer, bind_by_peer

SUSPENDED = "This connection is suspended; please call the helpdesk"


class ReceiveDoor:
    """Admits a server that is bound to one connection of an active organisation."""

    source = Source.RECEIVE

    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
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

    def bind(self, known: Routes, peer: Peer) -> Binding | None:
        return bind_by_peer(known, peer)

    def still_holds(self, binding: Binding) -> bool:
        return authentication.is_connection_credential_valid(binding.digests)

    def check_binding(self, known: Routes, binding: Binding) -> None:
        # Whether the tenant is suspended is told to whoever shows that it is theirs.
        if not binding.providers:
            _active_connection(known, binding)

    def check_sender(
        self, known: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        if sender is None:
            return None
        connection = _speaking(known, binding, sender)
        policies.check_connection_can_send_as(
            known, connection=connection, address=sender
        )
        return connection.domains.to_community(sender)

    def check_recipient(
        self, known: Routes, sender: Address | None, recipient: Address
    ) -> Route:
        return checks.recipient(known, sender, recipient)

    def confirm(self, known: Routes, binding: Binding, evidence: Evidence) -> Binding:
        if binding.providers:
            return cloud_tenant_proof.confirmed(known, binding, evidence)
        return binding

    def check_header(
        self,
        known: Routes,
        binding: Binding,
        sender: Address | None,
        header: HeaderBlock,
    ) -> HeaderBlock:
        connection = _active_connection(known, binding)
        check = partial(
            policies.check_connection_can_send_as, known, connection=connection
        )
        for author in authors(header):
            # A server's own bounces are from its host, below a domain of theirs.
            host_of = known.owner_of_host(author) if sender is None else None
            if host_of == connection.organisation_id:
                continue
            check(address=author)
        author_claims.check_claims(known, header, check, is_notice=sender is None)
        return rewrite_header(header, connection.domains.to_community)


def _speaking(known: Routes, binding: Binding, sender: Address) -> ConnectionFacts:
    """The connection in use; from a provider's servers, the one it seems to be."""
    if binding.providers:
        return cloud_tenant_proof.candidates(known, binding, sender)[0]
    return _active_connection(known, binding)


def _active_connection(known: Routes, binding: Binding) -> ConnectionFacts:
    """The bound connection as it stands now: it may have been suspended since."""
    if binding.connection_id is None:
        raise LookupError("A receiving session is bound to a connection.")
    connection = known.connection(binding.connection_id)
    if connection is None:
        # It signed in just now; the routes in memory learn of it within a second.
        raise TemporaryFailure(smtp_replies.TRY_LATER)
    if not connection.is_active:
        raise PermanentFailure(smtp_replies.NOT_A_MEMBER.saying(SUSPENDED))
    if connection.proof != binding.how:
        raise PermanentFailure(smtp_replies.AUTH_REQUIRED.saying("Prove yourself anew"))
    return connection
