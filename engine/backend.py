"""Django's own mail leaves through the queue, like all other mail."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from hashlib import sha256

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from engine.jobs import current
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import addresses_in
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.queue.models import Source
from engine.queue.submit import submit
from engine.registry.models import Person

log = logging.getLogger(__name__)

_LINE_END = re.compile(rb"\r\n|\r|\n")


class ServiceMessage(EmailMessage):
    """A notice that is sent once under its `key`, however often that is tried.

    Without a key, as with mail that Django or a library writes, each time counts.
    """

    key = ""


class EverydayMessage(ServiceMessage):
    """A notice to an address outside, by the internet, whoever's domain that is in.

    What helps to connect a mail server must not wait for its connection.
    """


def notice(
    subject: str, body: str, *, person: Person, to: str = "", what: str = ""
) -> ServiceMessage:
    """A notice to a person: outside the community, unless their own server keeps them.

    They have a `notice_address`, or else `to` names one. A job sends one notice under
    the name `what`, however often it is run.
    """
    address = to or person.notice_address
    kind = ServiceMessage if address == person.address else EverydayMessage
    message = kind(subject, body, to=[address])
    message.key = current.key(what) if what else ""
    return message


class QueueEmailBackend(BaseEmailBackend):
    """Submits each message as a notice of the service, from the null sender.

    Nobody reads what would come back to a notice, so nothing comes back. Each recipient
    is submitted alone: one bad address keeps the notice from nobody else.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Queue the messages and return how many had somebody to go to.

        Raises MailError or InvalidAddressError for the first recipient refused, after
        trying all, unless told to fail silently.
        """
        refusals: list[MailError | InvalidAddressError] = []
        queued = sum(_queue(message, refusals) for message in email_messages)
        if refusals and not self.fail_silently:
            raise refusals[0]
        return queued


def _queue(
    message: EmailMessage, refusals: list[MailError | InvalidAddressError]
) -> bool:
    raw = _bytes_of(message)
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
    """By which the queue knows a notice again; links and times in it differ each time."""
    key = message.key if isinstance(message, ServiceMessage) else ""
    return sha256(f"{key}:{recipient}".encode()).hexdigest() if key else ""


def _bytes_of(message: EmailMessage) -> bytes:
    built = message.message()
    if "Auto-Submitted" not in built:
        built["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    return _LINE_END.sub(b"\r\n", built.as_bytes())


def _address(recipient: str) -> Address:
    """The address of `Name <address>`, or of the address alone."""
    named = list(addresses_in(recipient.encode()))
    if len(named) != 1:
        raise InvalidAddressError(f"{recipient!r} is not one address")
    return named[0].address
