"""Decides what people may send with their own mail clients (RFC 6409)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.authors import authors
from engine.mail.composer import new_message_id
from engine.mail.dates import format_date
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.queue.models import Source
from engine.registry.credentials import (
    authentication,
    generated_secrets,
    scram_offer,
    scram_sign_in,
)
from engine.registry.credentials.scram_exchange import MECHANISM, ScramExchange
from engine.registry.credentials.sign_in_tally import SignInMethod
from engine.registry.models import Person
from engine.routing import author_claims, policies
from engine.routing.routes import Routes
from engine.routing.sending_stops import check_not_stopped
from engine.smtp.listener_policy import ListenerPolicy
from engine.smtp.session_binding import Binding, Peer

SUSPENDED = "Your account is suspended; please call the helpdesk"


class SubmissionPolicy(ListenerPolicy):
    """Admits one person, signed in with an app password."""

    source = Source.SUBMISSION

    def mechanisms(self) -> Sequence[str]:
        """Returns SCRAM too, once the app passwords in use can sign in by it."""
        scram = (MECHANISM,) if scram_offer.is_offered() else ()
        return (*scram, "PLAIN", "LOGIN")

    def authenticate(self, username: str, secret: str, peer: Peer) -> Binding | None:
        """Binds to the person whose app password this is."""
        person = authentication.authenticate_person(
            username, secret, peer=str(peer.address), method=SignInMethod.SUBMISSION
        )
        if person is None:
            return None
        return _binding(person, digests=generated_secrets.digests(secret))

    def authenticate_by_proof(
        self, exchange: ScramExchange, peer: Peer
    ) -> tuple[Binding, bytes] | None:
        """Binds to the person whose app password the proof was made with."""
        proved = scram_sign_in.authenticate_person_by_proof(
            exchange, peer=str(peer.address), method=SignInMethod.SUBMISSION
        )
        if proved is None:
            return None
        used = proved.app_password
        return _binding(used.person, app_password_id=used.pk), proved.signature

    def sign_in_delay(self, username: str, peer: Peer) -> float:
        """Returns the seconds to wait after wrong passwords, before the next is checked."""
        return authentication.person_delay(username, peer=str(peer.address))

    def is_sign_in_valid(self, binding: Binding) -> bool:
        """Returns False once the app password has ended or its owner was signed out."""
        return authentication.is_app_password_valid(
            binding.app_password_id or binding.digests, generation=binding.generation
        )

    def bind(self, routes: Routes, peer: Peer) -> Binding | None:
        """Returns None: only a sign-in binds a mail client."""
        return None

    def check_binding(self, routes: Routes, binding: Binding) -> None:
        """Refuses a person who is suspended, or whose mail is stopped."""
        person_id = binding.person_id
        if person_id is None or routes.address_of(person_id) is None:
            raise PermanentFailure(smtp_replies.SENDER_NOT_ALLOWED.saying(SUSPENDED))
        check_not_stopped(routes, binding.organisation_id, person_id=person_id)

    def check_sender(
        self, routes: Routes, binding: Binding, sender: Address | None
    ) -> Address | None:
        """Returns the sender, if the person may send from it."""
        if sender is not None:
            _can_send_as_check(routes, binding)(address=sender)
            check_not_stopped(routes, binding.organisation_id, addresses=[sender])
        return sender

    def check_header(
        self,
        routes: Routes,
        binding: Binding,
        sender: Address | None,
        header: HeaderBlock,
    ) -> HeaderBlock:
        """Checks From, Sender and display names, removes Bcc and adds what is missing."""
        check = _can_send_as_check(routes, binding)
        written_by = authors(header)
        for author in written_by:
            check(address=author)
        # Sender and person again: they may have been stopped since MAIL.
        check_not_stopped(
            routes,
            binding.organisation_id,
            person_id=binding.person_id,
            addresses=[sender, *written_by],
        )
        author_claims.check_claims(routes, header, check)
        # RFC 5322 §3.6.3: no recipient may see Bcc, and some clients leave it in.
        header = header.without("Bcc", "Resent-Bcc")
        return _completed(header, domain=written_by[0].domain)


def _binding(
    person: Person,
    *,
    digests: tuple[str, ...] = (),
    app_password_id: int | None = None,
) -> Binding:
    return Binding(
        person.organisation_id,
        "app password",
        person_id=person.pk,
        digests=digests,
        app_password_id=app_password_id,
        generation=person.session_generation,
    )


def _completed(header: HeaderBlock, *, domain: str) -> HeaderBlock:
    """Adds Message-ID and Date where the mail program wrote none (RFC 6409 §8.2, §8.3)."""
    if not header.text("Date").strip():
        now = format_date(datetime.now(UTC))
        header = header.without("Date").prepended("Date", now)
    if not header.text("Message-ID").strip():
        message_id = new_message_id(domain)
        header = header.without("Message-ID").prepended("Message-ID", message_id)
    return header


def _can_send_as_check(routes: Routes, binding: Binding) -> Callable[..., None]:
    """Returns the check of each address that the person sends as."""
    if binding.person_id is None:
        raise LookupError("A submission session is bound to a person.")
    return partial(policies.check_can_send_as, routes, person_id=binding.person_id)
