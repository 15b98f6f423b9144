"""Sends Django's own mail, and notices to people, through the queue like all other mail."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from copy import copy
from hashlib import sha256

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from engine.jobs import running_job
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import addresses_in
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.queue.enqueue import local_submission
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.enqueue.local_submission import submit
from engine.queue.models import Source
from engine.registry.models import Person

log = logging.getLogger(__name__)

_LINE_END = re.compile(rb"\r\n|\r|\n")


class ServiceMessage(EmailMessage):
    """A notice that is sent once for each `key`, even where the job that sends it repeats.

    Without a key, as with mail from Django or a library, every call sends a message.
    """

    key = ""


class EverydayMessage(ServiceMessage):
    """A notice to an everyday address, sent over the internet even to a member's domain.

    A member's own server may not be connected yet, and a notice about connecting it would
    wait for the connection.
    """


def notice(
    subject: str, body: str, *, person: Person, to: str = "", what: str = ""
) -> ServiceMessage:
    """Returns a notice to a person, addressed to `to` or to their `notice_address`.

    It leaves the community unless the address is the person's address in it. `what` names
    the notice within the current job: a job that runs again does not send it twice.
    """
    address = to or person.notice_address
    kind = ServiceMessage if address == person.address else EverydayMessage
    message = kind(subject, body, to=[address])
    message.key = running_job.idempotency_key(what) if what else ""
    return message


def prepare(message: EmailMessage) -> list[AcceptedMessage]:
    """Checks and scans a notice, one message for each recipient.

    For a caller that commits them together with rows of its own, so that the notice is
    sent exactly when they are written. The scan may take seconds: call this outside every
    transaction. Raises MailError or InvalidAddressError.
    """
    try:
        raw = _bytes_of(message)
    except ValueError as error:
        raise InvalidAddressError(
            f"The message cannot be serialised: {error}"
        ) from error
    return [
        local_submission.prepare(
            raw,
            envelope=Envelope.simple(None, _address(recipient)),
            source=Source.SYSTEM,
            fingerprint=_fingerprint(message, recipient),
            is_everyday=isinstance(message, EverydayMessage),
            by=None,
        )
        for recipient in message.recipients()
    ]


class QueueEmailBackend(BaseEmailBackend):
    """The EMAIL_BACKEND: submits each message as a notice from the null sender.

    With the null sender no bounce is generated, which nobody would read. Each recipient is
    submitted separately, so that one bad address does not affect the others.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Queues the messages, and returns how many have at least one accepted recipient.

        Raises MailError or InvalidAddressError for the first refused recipient after all
        have been tried, unless the backend is to fail silently.
        """
        refusals: list[MailError | InvalidAddressError] = []
        queued = sum(_queue(message, refusals) for message in email_messages)
        if refusals and not self.fail_silently:
            raise refusals[0]
        return queued


def _queue(
    message: EmailMessage, refusals: list[MailError | InvalidAddressError]
) -> bool:
    try:
        raw = _bytes_of(message)
    except ValueError as error:
        # Django cannot serialise the header, and trying again will not change that.
        log.warning("a notice cannot be serialised: %s", error)
        refusals.append(
            InvalidAddressError(f"The message cannot be serialised: {error}")
        )
        return False
    is_everyday = isinstance(message, EverydayMessage)
    accepted = 0
    for recipient in message.recipients():
        try:
            envelope = Envelope.simple(None, _address(recipient))
            submit(
                raw,
                envelope=envelope,
                source=Source.SYSTEM,
                fingerprint=_fingerprint(message, recipient),
                is_everyday=is_everyday,
                by=None,
            )
            accepted += 1
        except (MailError, InvalidAddressError) as refusal:
            log.warning("a notice to %s was refused: %s", recipient, refusal)
            refusals.append(refusal)
    return accepted > 0


def _fingerprint(message: EmailMessage, recipient: str) -> str:
    """Identifies a notice to the queue by its key: the links and times in it vary."""
    key = message.key if isinstance(message, ServiceMessage) else ""
    return sha256(f"{key}:{recipient}".encode()).hexdigest() if key else ""


def _bytes_of(message: EmailMessage) -> bytes:
    """Raises ValueError where the header cannot be serialised."""
    international = _international(message)
    if international:
        message = copy(message)
        message.to = []
    built = message.message()
    if "Auto-Submitted" not in built:
        built["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    return international + _LINE_END.sub(b"\r\n", built.as_bytes())


def _international(message: EmailMessage) -> bytes:
    """The To field in UTF-8 (RFC 6532) where a local part is not ASCII; otherwise empty.

    Django 5.2 puts an encoded word into such an address, which RFC 2047 §5 forbids, and
    raises ValueError where the word is too long for a line.
    """
    named = [one for to in message.to for one in addresses_in(to.encode())]
    if all(one.address.local.isascii() for one in named):
        return b""
    return f"To: {', '.join(str(one) for one in named)}\r\n".encode()


def _address(recipient: str) -> Address:
    """Parses `Name <address>` or a bare address. Raises InvalidAddressError."""
    named = list(addresses_in(recipient.encode()))
    if len(named) != 1:
        raise InvalidAddressError(f"{recipient!r} is not a single address")
    return named[0].address
