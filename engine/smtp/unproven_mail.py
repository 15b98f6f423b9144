"""Decides what happens to mail that fails DMARC or DKIM, as its connection says."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from engine.mail import smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure, TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.mail.smtp_replies import Reply
from engine.queue.models import Hold, Source
from engine.registry.models import UnprovenMail
from engine.routing.routes import Routes
from engine.smtp import sender_authentication
from engine.smtp.authentication_results import without_forged
from engine.smtp.listener_policy import ListenerPolicy
from engine.smtp.mail_transaction import MailTransaction
from engine.smtp.sender_authentication import Origin, Proofs, SignedBody
from engine.smtp.session_binding import Binding, Peer


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a message came in, and by which client."""

    policy: ListenerPolicy
    peer: Peer
    helo: str
    server_name: str

    async def prove(
        self,
        routes: Routes,
        transaction: MailTransaction,
        signed: SignedBody,
        header: HeaderBlock,
    ) -> tuple[HeaderBlock, Proofs]:
        """Verifies the origin of a message, and removes from its header what pretends to
        be our own results.

        Nothing is verified of mail that people submit: their sign-in proves it.
        """
        proofs = Proofs()
        if self.policy.source is Source.RECEIVE:
            sender = _in_member_form(routes, transaction.sender)
            origin = Origin(self.peer.address, self.helo, sender)
            proofs = await sender_authentication.prove(signed, header, origin)
        names = self.server_name, settings.POSTERN.community_domain
        return without_forged(header, proofs, *names)


def _in_member_form(routes: Routes, sender: Address | None) -> str:
    """Returns the sender in the form whose domain its own servers send for."""
    try:
        return str(routes.domains.to_member(sender)) if sender else ""
    except InvalidAddressError:
        return str(sender)


def hold_of(routes: Routes, binding: Binding, proofs: Proofs) -> str:
    """Returns why the message is held before it is delivered; empty if it is not.

    Raises PermanentFailure where the connection has such mail refused. A connection that
    does not accept all gets TemporaryFailure while name servers do not answer: no mail
    passes, and none is refused for good, because of them.
    """
    connection = routes.connection(binding.connection_id or 0)
    if connection is None or connection.unproven_mail is UnprovenMail.ACCEPT:
        return ""
    if proofs.is_open and not proofs.has_failed:
        raise TemporaryFailure(smtp_replies.PROOF_UNAVAILABLE)
    if not proofs.has_failed:
        return ""
    if connection.unproven_mail is UnprovenMail.REFUSE:
        raise PermanentFailure(_refusal(proofs))
    return str(Hold.UNPROVEN)


def _refusal(proofs: Proofs) -> Reply:
    broken = proofs.broken_signature
    if broken is not None:
        return smtp_replies.SIGNATURE_BROKEN.saying(
            f"The signature of {broken.domain} is not valid: {broken.reason}. Your "
            "organisation has such mail refused; ask your mail administrator"
        )
    domain = proofs.dmarc.domain if proofs.dmarc else ""
    return smtp_replies.DMARC_FAILED.saying(
        f"Not proved to come from {domain} (DMARC): it has no valid signature of that "
        "domain, and SPF does not let the server send for it. Your organisation has such "
        "mail refused; ask your mail administrator"
    )
