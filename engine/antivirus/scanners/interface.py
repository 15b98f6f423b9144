"""What every scanner can do, and how it fails: closed."""

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
"""Comes before every stream that a scanner takes for mail by how it begins.

clamd decodes attachments only in what it takes for mail, and it knows fewer spellings of
header fields than RFC 5322 allows. It guesses by the first 1,024 octets (libclamav 1.4,
MAGIC_BUFFER_SIZE), at places other than the front too, so that all of these are ours.
"""


class ScannerUnavailable(TemporaryFailure):
    """No verdict could be had. The message is not accepted: the peer keeps it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            SCANNER_UNAVAILABLE.saying(f"Cannot scan for viruses: {what}; try again")
        )


class Scan(Protocol):
    """The scan of one message, fed as it arrives. Ends in `verdict` or `abandon`."""

    async def feed(self, chunk: bytes) -> None:
        """Take the next octets. Raises ScannerUnavailable."""

    async def verdict(self) -> Verdict:
        """Say what the octets so far are. Raises ScannerUnavailable."""

    async def abandon(self) -> None:
        """Let go of everything held. Harmless after `verdict`, and twice."""


class Scanner(Protocol):
    """Opens scans; safe to share between any number of sessions."""

    def open(self) -> Scan:
        """Begin a scan without waiting for anything."""
