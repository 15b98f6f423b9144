"""The scanner for machines without clamd: YARA rules over every part of a message.

YARA sees only plain octets, so the message is spooled and taken apart first. What
cannot be taken apart counts as infected.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import uuid4

import yara_x

from engine.antivirus.base import ScannerUnavailable
from engine.antivirus.limits import LIMITS, Budget, Unscannable
from engine.antivirus.unpack import unpack
from engine.antivirus.verdict import Verdict, VerdictState
from engine.mail import message, parts

NAME = "embedded"
RULES = Path(__file__).with_name("rules.yar")
BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
FLUSH = 256 * 1024  # octets held in memory before they go to the spool

# Few, so that many large messages at once cost no more memory than these at a time.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="antivirus")

P = ParamSpec("P")
T = TypeVar("T")


class EmbeddedScanner:
    """`folder` is where messages are spooled while they are scanned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> EmbeddedScan:
        return EmbeddedScan(self.folder)


class EmbeddedScan:
    """One message on its way through a temporary folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._pending = bytearray()
        self._is_over = False

    async def feed(self, chunk: bytes) -> None:
        self._check_open()
        self._pending += chunk
        if len(self._pending) >= FLUSH:
            await _in_thread(self._flush)

    async def verdict(self) -> Verdict:
        self._check_open()
        try:
            return await _in_thread(self._scan)
        finally:
            await self.abandon()

    async def abandon(self) -> None:
        self._is_over = True
        self._pending.clear()
        if self._folder is not None:
            folder, self._folder = self._folder, None
            await _in_thread(folder.cleanup)

    def _check_open(self) -> None:
        if self._is_over:
            raise ScannerUnavailable("the scan was broken off")

    def _flush(self) -> Path:
        if self._folder is None:
            self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(dir=self._parent)
        path = Path(self._folder.name, "message")
        with path.open("ab") as file:
            file.write(self._pending)
        self._pending.clear()
        return path

    def _scan(self) -> Verdict:
        return scan_file(self._flush())


def scan_file(path: Path) -> Verdict:
    """Scan a whole message in a file, using the folder around it for its parts.

    Raises ScannerUnavailable when it takes too long.
    """
    budget = Budget()
    scanner = yara_x.Scanner(_rules())
    try:
        for piece in _pieces(path, budget):
            if found := _match(scanner, piece, budget):
                return Verdict(VerdictState.INFECTED, found, NAME)
    except Unscannable as error:
        return Verdict(VerdictState.INFECTED, error.signature, NAME)
    return Verdict(VerdictState.CLEAN, scanner=NAME)


def _pieces(path: Path, budget: Budget) -> Iterator[Path]:
    yield path
    for part in _parts(path):
        piece = path.parent / uuid4().hex
        piece.write_bytes(part.data())
        yield from unpack(piece, budget)
        piece.unlink()


def _parts(path: Path) -> Iterator[parts.Part]:
    header, body = message.split(_with_line_ends(path.read_bytes()))
    try:
        yield from parts.walk(header, body, strict=True)
    except parts.TooManyParts as error:
        raise Unscannable(LIMITS) from error


def _with_line_ends(raw: bytes) -> bytes:
    """Bare line feeds made whole: clients break lines there, so it counts as one."""
    if raw.count(b"\n") == raw.count(b"\r\n"):
        return raw
    return BARE_LINE_FEED.sub(b"\r\n", raw)


def _match(scanner: yara_x.Scanner, piece: Path, budget: Budget) -> str:
    budget.check_time()
    try:
        found = scanner.scan_file(str(piece)).matching_rules
    except yara_x.TimeoutError as error:
        raise ScannerUnavailable("the scan takes too long") from error
    return found[0].identifier.replace("_", ".") if found else ""


@cache
def _rules() -> yara_x.Rules:
    return yara_x.compile(RULES.read_text())


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in one of the scanner's own threads. A full or broken disk is no verdict."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(_threads, lambda: work(*args, **kwargs))
    except OSError as error:
        raise ScannerUnavailable("the scanner's disk fails") from error
