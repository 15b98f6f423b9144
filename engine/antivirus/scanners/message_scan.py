"""Scans messages and files with the configured scanner."""

from __future__ import annotations

import asyncio
import time
from base64 import encodebytes
from collections.abc import Iterable, Iterator, Sequence

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from engine.antivirus.scanners.clamd import ClamdScanner
from engine.antivirus.scanners.embedded import EmbeddedScanner
from engine.antivirus.scanners.inner_content import Inner
from engine.antivirus.scanners.interface import Scan, Scanner, ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState
from engine.observability import metrics

__all__ = [
    "OffScanner",
    "Scan",
    "Scanner",
    "ScannerUnavailable",
    "configured",
    "scan_bytes",
    "scan_file",
    "scan_inner",
    "scan_inner_with",
    "verdict_of",
]

OFF = "off"

# Files scanned together in one message, which saves small files the overhead of one each.
MOST_FILES = 50
MOST_OCTETS = 16 * 1024 * 1024

_BOUNDARY = b"postern-files-for-its-virus-scanner"  # never in base64
_PART_HEADER = (
    b"Content-Type: application/octet-stream\r\n"
    b"Content-Disposition: attachment\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n"
)
_LINE = 57  # octets that make one line of base64 (RFC 2045 §6.8)


def configured() -> Scanner:
    """Returns the scanner of POSTERN_CLAMD; the embedded one where it is empty."""
    target = settings.POSTERN.clamd
    if target == OFF:
        return OffScanner()
    if target:
        return ClamdScanner(*settings.POSTERN.clamd_targets)
    return EmbeddedScanner(settings.POSTERN.path("scanning"))


def scan_bytes(data: bytes) -> Verdict:
    """Scans a whole message, outside any event loop.

    A file must go to `scan_file`, because here it would be scanned as the text of a
    message. Raises ScannerUnavailable.
    """
    return async_to_sync(_scan)([data])


def scan_pieces(pieces: Iterable[bytes]) -> Verdict:
    """Scans a whole message as `scan_bytes` does, without holding all of it in memory."""
    return async_to_sync(_scan)(pieces)


def scan_file(chunks: Iterable[bytes]) -> Verdict:
    """Scans a file that is not part of a message yet, without holding all of it in memory.

    Raises ScannerUnavailable.
    """
    return async_to_sync(_scan)(_as_message(chunks))


def scan_inner(inner: Sequence[Inner], outer: Verdict) -> Verdict:
    """Runs `scan_inner_with` outside any event loop."""
    return async_to_sync(scan_inner_with)(configured(), inner, outer)


async def scan_inner_with(
    scanner: Scanner, inner: Sequence[Inner], outer: Verdict
) -> Verdict:
    """Scans separately what the scanner may not have found inside a message.

    `outer` is the verdict on the message. Returns the verdict on everything together,
    which is infected if any is. Raises ScannerUnavailable.
    """
    found = outer
    for chunks in _streams(inner):
        if found.is_infected:
            break
        verdict = await _scan(chunks, scanner)
        found = found if verdict.is_clean else verdict
    return found


def _streams(inner: Sequence[Inner]) -> Iterator[Iterator[bytes]]:
    """Yields the streams to scan: each inner message separately, files together."""
    files: list[Inner] = []
    for one in inner:
        if one.is_message:
            yield one.pieces()
        else:
            files.append(one)
    while files:
        count, octets = 0, 0
        while count < min(len(files), MOST_FILES) and octets < MOST_OCTETS:
            octets += files[count].region.end - files[count].region.start
            count += 1
        yield _files_as_message(files[:count])
        del files[:count]


async def _scan(chunks: Iterable[bytes], scanner: Scanner | None = None) -> Verdict:
    scan = (scanner or configured()).open()
    try:
        pieces = iter(chunks)
        # In a thread, because decoding and encoding a large file would block the loop.
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            await scan.feed(piece)
        return await verdict_of(scan)
    finally:
        await scan.abandon()


async def verdict_of(scan: Scan) -> Verdict:
    """Returns the verdict, and records how long it took. Raises ScannerUnavailable."""
    began, outcome = time.monotonic(), "unavailable"
    try:
        verdict = await scan.verdict()
        outcome = str(verdict.state)
        return verdict
    finally:
        seconds = time.monotonic() - began
        metrics.SCAN_SECONDS.labels(outcome).observe(seconds)


def _files_as_message(files: Sequence[Inner]) -> Iterator[bytes]:
    """Wraps files in a message, in the plain MIME that every scanner can read."""
    if len(files) == 1:
        yield from _as_message(files[0].pieces())
        return
    yield (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="%b"\r\n\r\n'
        % (_BOUNDARY)
    )
    for one in files:
        yield b"--%b\r\n" % _BOUNDARY + _PART_HEADER
        yield from _encoded(one.pieces())
    yield b"--%b--\r\n" % _BOUNDARY


def _as_message(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Wraps a file as the only part of a message, because scanners unpack messages."""
    yield b"MIME-Version: 1.0\r\n" + _PART_HEADER
    yield from _encoded(chunks)


def _encoded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        # Whole lines only: base64 pads the end, and padding inside would end the data
        # early.
        whole = len(data) // _LINE * _LINE
        rest = data[whole:]
        yield encodebytes(data[:whole])
    yield encodebytes(rest)


class OffScanner:
    """Calls everything clean, to measure the cost of everything else."""

    def __init__(self) -> None:
        if settings.POSTERN.env == "production":
            raise ImproperlyConfigured(
                "POSTERN_CLAMD is off. Set it to clamd's socket path or host:port."
            )

    def open(self) -> OffScan:
        """Starts a scan that looks at nothing."""
        return OffScan()


class OffScan:
    """A scan that looks at nothing."""

    async def feed(self, chunk: bytes) -> None:
        """Ignores the octets."""

    async def verdict(self) -> Verdict:
        """Returns a clean verdict."""
        return Verdict(VerdictState.CLEAN, scanner=OFF)

    async def abandon(self) -> None:
        """Does nothing, because nothing is held."""
