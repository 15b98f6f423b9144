"""What differs between hearing an organisation's server and a person's mail client."""

from __future__ import annotations

from typing import Protocol

from engine.mail.address import Address
from engine.mail.header import HeaderBlock
from engine.queue.models import Source
from engine.routing.routes import Route, Routes
from engine.smtp.cloud_tenant_proof import Evidence
from engine.smtp.session_binding import Binding, Peer


class Door(Protocol):
    """A kind of listener. Methods raise MailError with the reply for the peer."""

    source: Source

    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
        """Find whom a user name and a secret belong to. Reads the database."""

    def bind(self, known: Routes, peer: Peer) -> Binding | None:
        """Bind a session that has not signed in, where this door allows it."""

    def still_holds(self, binding: Binding) -> bool:
        """Whether what a session signed in with is still good. Reads the database."""

    def check_binding(self, known: Routes, binding: Binding) -> None:
        """Refuse whoever may not send any more."""

    def check_sender(
        self, known: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        """Return the envelope sender in community form."""

    def check_recipient(
        self, known: Routes, sender: Address | None, recipient: Address
    ) -> Route:
        """Return where a recipient's mail goes."""

    def confirm(self, known: Routes, binding: Binding, evidence: Evidence) -> Binding:
        """Return what a whole message is bound to, where its session left that open."""

    def check_header(
        self,
        known: Routes,
        binding: Binding,
        sender: Address | None,
        header: HeaderBlock,
    ) -> HeaderBlock:
        """Check who the header says wrote it, and return it in community form."""
