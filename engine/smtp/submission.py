"""Mail from people's own mail clients."""

from __future__ import annotations

from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.header import HeaderBlock
from engine.queue.models import Source
from engine.registry import credentials, policies
from engine.registry.routes import Route, Routes
from engine.smtp import checks
from engine.smtp.binding import Binding, Peer


class SubmissionDoor:
    """Admits one person, signed in with an app password."""

    source = Source.SUBMISSION

    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
        person = credentials.find_person(username, secret, peer=str(peer.address))
        if person is None:
            return None
        return Binding(
            person.organisation_id,
            "app password",
            person_id=person.pk,
            is_signed_in=True,
        )

    def bind(self, known: Routes, peer: Peer) -> Binding | None:
        return None

    def check_sender(
        self, known: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        if sender is not None:
            _check_can_send_as(known, binding, sender)
        return sender

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
        for author in authors(header):
            _check_can_send_as(known, binding, author)
        return header


def _check_can_send_as(known: Routes, binding: Binding, address: Address) -> None:
    if binding.person_id is None:
        raise LookupError("A submission session is bound to a person.")
    policies.check_can_send_as(known, person_id=binding.person_id, address=address)
