"""One message on its way in: MAIL, its RCPTs, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient
from engine.mail.errors import MailError, PermanentFailure, TemporaryFailure
from engine.mail.smtp_path import SyntaxErrorInCommand
from engine.queue.enqueue.accepted_message import new_reference
from engine.routing.routes import Route

# RFC 5321 §4.5.3.1.8 asks for at least 100.
RECIPIENT_LIMIT = 1000

_BODIES = {"7BIT", "8BITMIME"}
_NOTIFY = {"NEVER", "SUCCESS", "FAILURE", "DELAY"}

Parameters = dict[str, str | None]


@dataclass(slots=True)
class Transaction:
    """What was said since MAIL. Sender and recipients are in community form."""

    reference: str = field(default_factory=new_reference)
    sender: Address | None = None
    has_sender: bool = False
    envelope_id: str = ""
    wants_full: bool = False
    recipients: list[EnvelopeRecipient] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)

    def begin(
        self, sender: Address | None, parameters: Parameters, *, size_limit: int
    ) -> None:
        """Take MAIL's parameters. Raises MailError for one that cannot be honoured."""
        self.envelope_id, self.wants_full = _mail_parameters(parameters, size_limit)
        self.sender, self.has_sender = sender, True

    def add(self, route: Route, parameters: Parameters) -> None:
        """Take a recipient. The same one twice is one. Raises MailError."""
        if len(self.recipients) >= RECIPIENT_LIMIT:
            raise TemporaryFailure(smtp_replies.TOO_MANY_RECIPIENTS)
        recipient = _recipient(route, parameters)
        if all(known.address != recipient.address for known in self.recipients):
            self.recipients.append(recipient)
            self.routes.append(route)

    def envelope(self) -> Envelope:
        """The envelope as it stands."""
        return Envelope(
            self.sender, tuple(self.recipients), self.envelope_id, self.wants_full
        )


def _mail_parameters(parameters: Parameters, size_limit: int) -> tuple[str, bool]:
    """ENVID, and whether RET asks for the full message (RFC 3461 §4.3, §4.4)."""
    given = dict(parameters)
    size = given.pop("SIZE", None) or "0"
    if not size.isascii() or not size.isdigit() or len(size) > 20:
        raise SyntaxErrorInCommand("SIZE must be a number")
    if int(size) > size_limit:
        raise _too_big(size_limit)
    if (given.pop("BODY", None) or "7BIT").upper() not in _BODIES:
        raise SyntaxErrorInCommand("BODY must be 7BIT or 8BITMIME")
    given.pop("SMTPUTF8", None)
    given.pop("AUTH", None)
    returned = (given.pop("RET", None) or "HDRS").upper()
    if returned not in {"FULL", "HDRS"}:
        raise SyntaxErrorInCommand("RET must be FULL or HDRS")
    envelope_id = given.pop("ENVID", None) or ""
    _refuse_unknown(given)
    return envelope_id[:100], returned == "FULL"


def _recipient(route: Route, parameters: Parameters) -> EnvelopeRecipient:
    given = dict(parameters)
    notify = _notify(given.pop("NOTIFY", ""))
    original = given.pop("ORCPT", None) or ""
    _refuse_unknown(given)
    return EnvelopeRecipient(route.address, original[:500], notify)


def _notify(value: str | None) -> str:
    """NOTIFY, each word once (RFC 3461 §4.1); empty when it was not said."""
    if value == "":
        return ""
    wanted = set((value or "").upper().split(","))
    if not wanted <= _NOTIFY or ("NEVER" in wanted and len(wanted) > 1):
        raise SyntaxErrorInCommand("NOTIFY cannot be understood")
    return ",".join(sorted(wanted))


def _refuse_unknown(parameters: Parameters) -> None:
    for name in parameters:
        raise PermanentFailure(
            smtp_replies.BAD_PARAMETER.saying(f"Parameter {name} is not known here")
        )


def _too_big(size_limit: int) -> MailError:
    megabytes = size_limit // 1_048_576
    return PermanentFailure(
        smtp_replies.TOO_BIG.saying(
            f"Messages may have up to {megabytes} MB; send a smaller one"
        )
    )
