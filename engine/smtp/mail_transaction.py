"""Collects one mail transaction: MAIL, its RCPTs, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.mail import dsn_parameters, smtp_replies
from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient
from engine.mail.errors import MailError, PermanentFailure, TemporaryFailure
from engine.mail.smtp_path import SyntaxErrorInCommand
from engine.queue.enqueue.accepted_message import new_reference
from engine.routing.routes import Route, RouteKind
from engine.smtp.session_binding import Binding

# RFC 5321 §4.5.3.1.8 asks for at least 100.
RECIPIENT_LIMIT = 1000

_BODIES = {"7BIT", "8BITMIME"}

Parameters = dict[str, str | None]


@dataclass(slots=True)
class MailTransaction:
    """The envelope since MAIL (RFC 5321 §3.3). Addresses are in community form.

    `reference` is the name that the message will be traced and kept under. The null
    sender is None, so that `has_sender` says whether MAIL was accepted. `routes` stands
    beside `recipients`, one each. `confirmed_as` is what the message itself proved to
    belong to, where the session is a cloud provider's.
    """

    reference: str = field(default_factory=new_reference)
    sender: Address | None = None
    has_sender: bool = False
    envelope_id: str = ""
    wants_full: bool = False
    requires_tls: bool = False
    recipients: list[EnvelopeRecipient] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    confirmed_as: Binding | None = None

    def begin(
        self, sender: Address | None, parameters: Parameters, *, size_limit: int
    ) -> None:
        """Records the sender and MAIL's parameters; `size_limit` is in octets.

        Raises MailError for a parameter that is malformed, unknown or not to be met.
        """
        self.envelope_id, self.wants_full, self.requires_tls = _mail_parameters(
            parameters, size_limit
        )
        self.sender, self.has_sender = sender, True

    def add(self, route: Route, parameters: Parameters) -> None:
        """Adds a recipient; a repeated one counts once. Raises MailError."""
        if len(self.recipients) >= RECIPIENT_LIMIT:
            raise TemporaryFailure(smtp_replies.TOO_MANY_RECIPIENTS)
        recipient = _recipient(route, parameters)
        if all(known.address != recipient.address for known in self.recipients):
            self.recipients.append(recipient)
            self.routes.append(route)

    @property
    def is_for_lists_only(self) -> bool:
        """Whether each recipient is a distribution list."""
        return all(route.kind is RouteKind.LIST for route in self.routes)

    def envelope(self) -> Envelope:
        """Returns the envelope as collected so far."""
        return Envelope(
            self.sender,
            tuple(self.recipients),
            self.envelope_id,
            self.wants_full,
            self.requires_tls,
        )


def _mail_parameters(parameters: Parameters, size_limit: int) -> tuple[str, bool, bool]:
    """Returns ENVID, whether RET asks for the full message (RFC 3461 §4.3, §4.4), and
    whether REQUIRETLS is given (RFC 8689 §2). No MAIL without TLS comes so far."""
    given = dict(parameters)
    size = given.pop("SIZE", None) or "0"
    # RFC 1870 §4: up to 20 digits. isdigit() alone would let superscripts through.
    if not size.isascii() or not size.isdigit() or len(size) > 20:
        raise SyntaxErrorInCommand("SIZE must be a number")
    if int(size) > size_limit:
        raise _too_big(size_limit)
    _check_body((given.pop("BODY", None) or "7BIT").upper())
    given.pop("SMTPUTF8", None)
    # RFC 4954 §5: the identity that AUTH= asserts may be ignored, and is.
    given.pop("AUTH", None)
    # A parameter without a value is in the dictionary, as None.
    wants_full = "RET" in given and dsn_parameters.wants_full(given.pop("RET"))
    envelope_id = ""
    if "ENVID" in given:
        envelope_id = dsn_parameters.envelope_id(given.pop("ENVID"))
    requires_tls = "REQUIRETLS" in given
    if given.pop("REQUIRETLS", None) is not None:
        raise SyntaxErrorInCommand("REQUIRETLS takes no value")
    _refuse_unknown(given)
    return envelope_id, wants_full, requires_tls


def _check_body(body: str) -> None:
    """Refuses a body that is not made of lines (RFC 6152 §3, RFC 3030 §3)."""
    if body == "BINARYMIME":
        raise PermanentFailure(smtp_replies.NO_BINARY)
    if body not in _BODIES:
        raise SyntaxErrorInCommand("BODY must be 7BIT or 8BITMIME")


def _recipient(route: Route, parameters: Parameters) -> EnvelopeRecipient:
    given = dict(parameters)
    notify = original = ""
    if "NOTIFY" in given:
        notify = dsn_parameters.notify(given.pop("NOTIFY"))
    if "ORCPT" in given:
        original = dsn_parameters.original_recipient(given.pop("ORCPT"))
    _refuse_unknown(given)
    return EnvelopeRecipient(route.address, original, notify)


def _refuse_unknown(parameters: Parameters) -> None:
    """Raises PermanentFailure for any parameter left over (RFC 5321 §4.1.1.11: 555)."""
    for name in parameters:
        raise PermanentFailure(
            smtp_replies.BAD_PARAMETER.saying(f"Parameter {name} is not supported here")
        )


def _too_big(size_limit: int) -> MailError:
    megabytes = size_limit // 1_048_576
    return PermanentFailure(
        smtp_replies.TOO_BIG.saying(
            f"Messages may have up to {megabytes} MB; send a smaller one"
        )
    )
