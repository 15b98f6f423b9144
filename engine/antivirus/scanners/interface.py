"""The interface of every scanner. Scanners fail closed: without a verdict, no mail."""

from __future__ import annotations

from typing import Protocol

from engine.antivirus.verdict import Verdict
from engine.mail.errors import TemporaryFailure
from engine.mail.smtp_replies import SCANNER_UNAVAILABLE

_FILLER = b"-" * 60

MAIL_HEADER = (
    b"Received: by postern (for its virus scanner); Thu, 01 Jan 1970 00:00:00 +0000\r\n"
    b"X-Postern-Scan: " + b"\r\n ".join([_FILLER] * 20) + b"\r\n"
)
"""Prepended to every stream, so that clamd recognises it as mail.

clamd decodes attachments only in what it recognises as mail, and it knows fewer spellings
of header fields than RFC 5322 allows. It guesses by the first 1,024 octets (libclamav 1.4,
MAGIC_BUFFER_SIZE), also at offsets other than 0, so the header fills all of them.
"""


class ScannerUnavailable(TemporaryFailure):
    """No verdict was obtained. The message is deferred, and stays with the peer."""

    def __init__(self, what: str) -> None:
        super().__init__(
            SCANNER_UNAVAILABLE.saying(f"Cannot scan for viruses: {what}; try again")
        )


class Scan(Protocol):
    """The scan of one message, fed as it arrives. Ends with `verdict` or `abandon`."""

    async def feed(self, chunk: bytes) -> None:
        """Takes the next octets. Raises ScannerUnavailable."""

    async def verdict(self) -> Verdict:
        """Returns the verdict on the octets so far. Raises ScannerUnavailable."""

    async def abandon(self) -> None:
        """Releases everything held. Harmless after `verdict`, and when called twice."""


class Scanner(Protocol):
    """Opens scans; safe to share between any number of sessions."""

    def open(self) -> Scan:
        """Starts a scan without waiting for anything."""
