"""Mail from people's own mail clients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.queue.models import Source
from engine.registry.credentials import authentication, generated_secrets
from engine.routing import author_claims, policies
from engine.routing.routes import Route, Routes
from engine.smtp import checks
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.session_binding import Binding, Peer

SUSPENDED = "Your account is suspended; please call the helpdesk"


class SubmissionDoor:
    """Admits one person, signed in with an app password."""

    source = Source.SUBMISSION

    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
        person = authentication.authenticate_person(
            username, secret, peer=str(peer.address)
        )
        if person is None:
            return None
        return Binding(
            person.organisation_id,
            "app password",
            person_id=person.pk,
            digests=generated_secrets.digests(secret),
            generation=person.session_generation,
        )

    def bind(self, known: Routes, peer: Peer) -> Binding | None:
        return None

    def still_holds(self, binding: Binding) -> bool:
        return authentication.is_app_password_valid(
            binding.digests, generation=binding.generation
        )

    def check_binding(self, known: Routes, binding: Binding) -> None:
        if binding.person_id not in known.people:
            raise PermanentFailure(smtp_replies.SENDER_NOT_ALLOWED.saying(SUSPENDED))

    def check_sender(
        self, known: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        if sender is not None:
            _check(known, binding)(address=sender)
        return sender

    def check_recipient(
        self, known: Routes, sender: Address | None, recipient: Address
    ) -> Route:
        return checks.recipient(known, sender, recipient)

    def confirm(self, known: Routes, binding: Binding, evidence: Evidence) -> Binding:
        return binding

    def check_header(
        self,
        known: Routes,
        binding: Binding,
        sender: Address | None,
        header: HeaderBlock,
    ) -> HeaderBlock:
        check = _check(known, binding)
        for author in authors(header):
            check(address=author)
        author_claims.check_claims(known, header, check)
        # Some clients leave in the header whom nobody else should see.
        return header.without("Bcc", "Resent-Bcc")


def _check(known: Routes, binding: Binding) -> Callable[..., None]:
    """The check of an address that the person writes as."""
    if binding.person_id is None:
        raise LookupError("A submission session is bound to a person.")
    return partial(policies.check_can_send_as, known, person_id=binding.person_id)
