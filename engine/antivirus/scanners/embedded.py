"""The scanner for hosts without clamd: YARA rules over every part of a message.

YARA sees plain octets only, so the message is spooled and unpacked first. A message that
cannot be unpacked counts as infected.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from engine.antivirus.formats.unpack_limits import MAX_SECONDS
from engine.antivirus.scanners import yara_scan
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict
from engine.secrets import state_folder

NAME = "embedded"
# Kinds that it does not open; it opens zip, tar, gzip and bzip2.
CLOSED = frozenset(("7z", "rar", "tar.xz"))
FLUSH = 256 * 1024  # octets held in memory before they go to the spool
LARGE = 1024 * 1024  # octets from which a message is scanned in a process of its own
ROOT = Path(__file__).parents[3]

# Two scans at a time, because each may use a whole processor.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="antivirus")


class EmbeddedScanner:
    """Scans with YARA. Messages are spooled in `folder` while they are scanned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> EmbeddedScan:
        """Starts a scan; writes nothing yet."""
        return EmbeddedScan(self.folder)


class EmbeddedScan:
    """The scan of one message, in a temporary folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._pending = bytearray()
        self._is_over = False

    async def feed(self, chunk: bytes) -> None:
        """Spools octets, FLUSH or more at a time. Raises ScannerUnavailable."""
        self._check_open()
        self._pending += chunk
        if len(self._pending) >= FLUSH:
            with _failing_closed():
                await asyncio.to_thread(self._flush)

    async def verdict(self) -> Verdict:
        """Scans the spooled message in a thread. Raises ScannerUnavailable."""
        self._check_open()
        try:
            with _failing_closed():
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(_threads, self._scan)
        finally:
            await self.abandon()

    async def abandon(self) -> None:
        """Deletes the spooled message."""
        self._is_over = True
        self._pending.clear()
        if self._folder is not None:
            folder, self._folder = self._folder, None
            await asyncio.to_thread(folder.cleanup)

    def _check_open(self) -> None:
        if self._is_over:
            raise ScannerUnavailable("the scan was broken off")

    def _flush(self) -> Path:
        if self._folder is None:
            state_folder.make_private_folder(self._parent)
            self._folder = tempfile.TemporaryDirectory(
                dir=self._parent, ignore_cleanup_errors=True
            )
        path = Path(self._folder.name, "message")
        with open(path, "ab", opener=state_folder.private_opener) as file:
            file.write(self._pending)
        self._pending.clear()
        return path

    def _scan(self) -> Verdict:
        path = self._flush()
        large = path.stat().st_size > LARGE
        signature = _find_in_process(path) if large else yara_scan.find_signature(path)
        return Verdict.of(signature, scanner=NAME)


def _find_in_process(path: Path) -> str:
    # A process of its own: decoding a large message would hold this one's GIL, and so
    # its event loop, for long.
    command = [sys.executable, "-m", yara_scan.__name__, str(path)]
    found = subprocess.run(  # noqa: S603 - our own module, and a file that we named
        command, cwd=ROOT, timeout=MAX_SECONDS, capture_output=True, check=True
    )
    return found.stdout.decode()


@contextmanager
def _failing_closed() -> Iterator[None]:
    """Converts errors into ScannerUnavailable."""
    try:
        yield
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise ScannerUnavailable("the scan takes too long") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise ScannerUnavailable("the scanner fails") from error
