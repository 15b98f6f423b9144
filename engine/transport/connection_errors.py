"""Explains why a conversation with a next hop did not take place, or was cut off."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtplib import SMTPConnectError, SMTPException, SMTPResponseException

from engine.mail.smtp_replies import Reply
from engine.transport import tls_faults
from engine.transport.parcel import Cause
from engine.transport.tls_attempts import ResultType, TlsAttempt

# The texts reach senders. They are also compared with `Recipient.last_reply` in the
# database, by code and enhanced code, to find mail that waits because of an outage.
NO_ANSWER = Reply(451, "4.4.1", "The next hop does not answer")
BROKEN_OFF = Reply(451, "4.4.2", "The next hop broke off")
OUT_OF_STEP = Reply(451, "4.5.0", "The next hop took DATA for the whole message")
NOT_OUTSIDE = Reply(451, "4.4.4", "The next hop is at an address that is not public")
NO_STARTTLS = Reply(454, "4.7.10", "The next hop does not offer STARTTLS")
NOT_TRUSTED = Reply(454, "4.7.5", "The next hop's certificate cannot be trusted")
TLS_FAILED = Reply(454, "4.7.5", "TLS with the next hop failed")
NOT_IN_ITS_DNS = Reply(
    454, "4.7.5", "The next hop's certificate is not the one in its DNS"
)
NOT_IN_ITS_POLICY = Reply(
    454, "4.7.5", "The next hop is not in the MTA-STS policy of its domain"
)
DNSSEC_BOGUS = Reply(
    454, "4.7.5", "The next hop's DNS cannot be trusted: its DNSSEC signatures fail"
)
NO_DNSSEC_ANSWER = Reply(451, "4.4.3", "The next hop's DNS does not answer in time")

# Mail that waits because of one of these is retried as soon as the next hop is back.
ALL = (
    NO_ANSWER, NOT_OUTSIDE, BROKEN_OFF, NO_STARTTLS, NOT_TRUSTED, TLS_FAILED,
    NOT_IN_ITS_DNS, NOT_IN_ITS_POLICY, DNSSEC_BOGUS, NO_DNSSEC_ANSWER,
)  # fmt: skip


class ConversationError(Exception):
    """No conversation took place, or it was cut off: nothing is known to have arrived."""

    def __init__(
        self, reply: Reply, cause: Cause, attempt: TlsAttempt | None = None
    ) -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.cause = cause
        # Of the attempt to start TLS that this is the end of, if it is one.
        self.attempt = attempt


@contextmanager
def starting_tls(attempt: TlsAttempt) -> Iterator[None]:
    """Converts errors as `explained` does, and records why TLS did not come about."""
    try:
        with explained(BROKEN_OFF):
            yield
    except ConversationError as error:
        if error.cause is Cause.TLS and error.attempt is None:
            error.attempt = attempt.failed(_result(error))
        raise


def _result(error: ConversationError) -> ResultType:
    if error.reply == NO_STARTTLS:
        return ResultType.NO_STARTTLS
    refusal = _tls_error_in(error)
    if not isinstance(refusal, ssl.SSLCertVerificationError):
        return ResultType.OTHER
    return tls_faults.RESULTS.get(refusal.verify_code, ResultType.OTHER)


@contextmanager
def explained(reply: Reply) -> Iterator[None]:
    """Converts network errors into a ConversationError with this reply."""
    try:
        yield
    except (SMTPException, OSError, TimeoutError) as error:
        raise _explain(error, reply) from error


def _explain(error: Exception, reply: Reply) -> ConversationError:
    cause = Cause.UNREACHABLE
    refusal = _tls_error_in(error)
    if isinstance(refusal, ssl.SSLCertVerificationError):
        reply, why, cause = NOT_TRUSTED, tls_faults.of_certificate(refusal), Cause.TLS
    elif refusal is not None:
        reply, why, cause = TLS_FAILED, tls_faults.of_handshake(refusal), Cause.TLS
    elif isinstance(error, SMTPResponseException):
        why = f"{error.code} {error.message}"
    else:
        why = _without_address(error)
    text = f"{reply.text}: {why}" if why else reply.text
    return ConversationError(reply.saying(text), cause)


def _without_address(error: Exception) -> str:
    """Returns what went wrong, without the server's IP address: senders read it, and a
    member's network is not their business."""
    for one in _causes(error):
        if isinstance(one, TimeoutError):
            return "it took too long"
        number = one.errno or 0 if isinstance(one, OSError) else 0
        if number > 0:
            return os.strerror(number)
    return "" if isinstance(error, (SMTPConnectError, OSError)) else str(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _tls_error_in(error: BaseException | None) -> ssl.SSLError | None:
    found = (one for one in _causes(error) if isinstance(one, ssl.SSLError))
    return next(found, None)
