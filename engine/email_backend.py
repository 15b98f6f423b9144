"""Django's own mail leaves through the queue, like all other mail."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from copy import copy
from hashlib import sha256

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from engine.jobs import current
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import addresses_in
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.queue.enqueue.local_submission import submit
from engine.queue.models import Source
from engine.registry.models import Person

log = logging.getLogger(__name__)

_LINE_END = re.compile(rb"\r\n|\r|\n")


class ServiceMessage(EmailMessage):
    """A notice that is sent once under its `key`, however often that is tried.

    Without a key, as with mail that Django or a library writes, each time counts.
    """

    key = ""


class EverydayMessage(ServiceMessage):
    """A notice to an address outside, by the internet, even where a member owns its domain.

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
    try:
        raw = _bytes_of(message)
    except ValueError as error:
        # Django's writer refuses the header; it will not take it the next time either.
        log.warning("a notice cannot be written: %s", error)
        refusals.append(InvalidAddressError(f"It cannot be written: {error}"))
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
    """By which the queue knows a notice again; links and times in it differ each time."""
    key = message.key if isinstance(message, ServiceMessage) else ""
    return sha256(f"{key}:{recipient}".encode()).hexdigest() if key else ""


def _bytes_of(message: EmailMessage) -> bytes:
    """Raises ValueError where its header cannot be written."""
    international = _international(message)
    if international:
        message = copy(message)
        message.to = []
    built = message.message()
    if "Auto-Submitted" not in built:
        built["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    return international + _LINE_END.sub(b"\r\n", built.as_bytes())


def _international(message: EmailMessage) -> bytes:
    """The To field in UTF-8 (RFC 6532) where an address asks for it; empty elsewhere.

    Django 5.2 writes an encoded word into the address, which RFC 2047 §5 forbids, and
    raises ValueError where that word is too long for a line.
    """
    named = [one for to in message.to for one in addresses_in(to.encode())]
    if all(one.address.local.isascii() for one in named):
        return b""
    return f"To: {', '.join(str(one) for one in named)}\r\n".encode()


def _address(recipient: str) -> Address:
    """The address of `Name <address>`, or of the address alone."""
    named = list(addresses_in(recipient.encode()))
    if len(named) != 1:
        raise InvalidAddressError(f"{recipient!r} is not one address")
    return named[0].address
