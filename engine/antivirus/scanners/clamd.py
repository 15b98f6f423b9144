"""A client of clamd's INSTREAM command, over a Unix socket or TCP.

Uses a non-blocking socket instead of asyncio's streams: clamd may answer and hang up while
we are still sending, and a stream discards that answer with the broken pipe.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from engine.antivirus.scanners import clamd_failover
from engine.antivirus.scanners.interface import MAIL_HEADER, ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState

NAME = "clamd"
PATIENCE = (
    60.0  # seconds of waiting for one clamd in a scan; waiting for the peer is free
)
PING_PATIENCE = 3.0  # seconds for one that failed before, where others are configured
CHUNK = 64 * 1024  # octets sent at a time; clamd accepts up to its StreamMaxLength
REPLY_LIMIT = 4096  # octets

Result = TypeVar("Result")


class TooLargeError(ScannerUnavailable):
    """The message exceeds clamd's StreamMaxLength. Another clamd would refuse it, too."""


class ClamdScanner:
    """Scans with clamd. Each of `targets` is the path of a Unix socket, or host:port."""

    def __init__(self, *targets: str, patience: float = PATIENCE) -> None:
        self.targets = targets
        self.patience = patience

    def open(self) -> ClamdScan:
        """Starts a scan; connects when the first octets are sent."""
        return ClamdScan(self.targets, patience=self.patience)


class ClamdScan:
    """One scan over one connection, which is made when the first octets are sent.

    Everything is scanned as mail, behind a header of ours; a file is wrapped in a message
    first (`message_scan.scan_file`). If one clamd fails the next is tried, unless octets
    were sent that are no longer in memory.
    """

    def __init__(self, targets: Sequence[str], *, patience: float) -> None:
        self._targets = clamd_failover.in_turn(targets)
        self._patience = self._left = patience
        self._socket: socket.socket | None = None
        self._pending = bytearray(MAIL_HEADER)
        self._is_bound = False
        self._is_over = False

    async def feed(self, chunk: bytes) -> None:
        """Sends octets to clamd, CHUNK or more at a time. Raises ScannerUnavailable."""
        self._pending += chunk
        if len(self._pending) >= CHUNK:
            await self._with_some_clamd(self._flush)
            self._pending.clear()
            self._is_bound = True

    async def verdict(self) -> Verdict:
        """Sends the rest and returns clamd's verdict. Raises ScannerUnavailable."""
        try:
            return await self._with_some_clamd(self._ask)
        finally:
            await self.abandon()

    async def abandon(self) -> None:
        """Drops the connection, and with it what clamd has received."""
        self._is_over = True
        self._pending.clear()
        self._hang_up()

    async def _with_some_clamd(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Runs a step, on the next clamd if this one fails. Raises the last one's error."""
        while True:
            try:
                result = await self._in_time(step)
            except ScannerUnavailable as error:
                self._hang_up()
                if self._is_over or isinstance(error, TooLargeError):
                    raise
                clamd_failover.leave_out(self._targets.pop(0))
                if self._is_bound or not self._targets:
                    # A second connection would see only the rest of the message.
                    await self.abandon()
                    raise
                # The next clamd gets the whole time: the failed one may have used all
                # of it.
                self._left = self._patience
            # Cancelled, as when the client disconnects: no verdict is wanted any more.
            except BaseException:
                await self.abandon()
                raise
            else:
                clamd_failover.take_back(self._targets[0])
                return result

    async def _in_time(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Runs a step within the time left for this clamd."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._left):
                return await step()
        except TimeoutError as error:
            raise ScannerUnavailable("the scanner does not answer in time") from error
        except OSError as error:
            raise ScannerUnavailable("the scanner cannot be reached") from error
        finally:
            # Only the wait for clamd counts: the client may take minutes between two
            # chunks.
            self._left = max(0.0, self._left - (time.monotonic() - started))

    async def _flush(self) -> None:
        connection = await self._connected()
        # INSTREAM takes chunks, each behind its length in four octets, big-endian; a
        # length of zero ends the stream (clamd(8)).
        for start in range(0, len(self._pending), CHUNK):
            piece = self._pending[start : start + CHUNK]
            await _send(connection, len(piece).to_bytes(4, "big") + piece)

    async def _ask(self) -> Verdict:
        await self._flush()
        connection = await self._connected()
        await _send(connection, bytes(4))
        return read_reply(await _receive(connection))

    async def _connected(self) -> socket.socket:
        if self._is_over:
            raise ScannerUnavailable("the scan was broken off")
        if self._socket is None:
            target = self._targets[0]
            # A clamd that hangs would take the whole patience of this scan. PING finds
            # out in seconds, and is worth it only where another clamd can take over.
            if clamd_failover.is_suspect(target) and len(self._targets) > 1:
                await _check_answers(target)
            self._socket = await _connect(target)
            # The z form ends commands and replies with NUL, which shows that a reply is
            # whole.
            await _send(self._socket, b"zINSTREAM\0")
        return self._socket

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def read_reply(reply: bytes) -> Verdict:
    """Parses clamd's answer. Raises ScannerUnavailable for anything but OK or FOUND."""
    text = reply.rstrip(b"\0\n").decode("utf-8", "replace")
    # Fails closed: any reply but OK and FOUND says nothing about the message.
    if text == "stream: OK":
        return Verdict(VerdictState.CLEAN, scanner=NAME)
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        signature = text.removeprefix("stream: ").removesuffix(" FOUND")
        return Verdict.of(signature[:200], scanner=NAME)
    # "INSTREAM size limit exceeded. ERROR", after which clamd hangs up.
    if "size limit exceeded" in text:
        raise TooLargeError("the message is larger than the scanner takes")
    if not text:
        raise ScannerUnavailable("the scanner hung up")
    raise ScannerUnavailable("the scanner reported an error")


async def answers(target: str) -> bool:
    """Returns whether the clamd at this target answers PING."""
    try:
        await _check_answers(target)
    except (OSError, TimeoutError):
        return False
    return True


async def version(target: str) -> str:
    """Returns the versions of clamd and its signatures. Raises ScannerUnavailable."""
    try:
        async with asyncio.timeout(PING_PATIENCE):
            connection = await _connect(target)
            try:
                await _send(connection, b"zVERSION\0")
                reply = await _receive(connection)
            finally:
                connection.close()
    except (OSError, TimeoutError) as error:
        raise ScannerUnavailable("the scanner does not tell its version") from error
    return reply.rstrip(b"\0\n").decode("utf-8", "replace")[:200]


async def _check_answers(target: str) -> None:
    """Checks that clamd answers, before a message waits for it. Raises OSError."""
    async with asyncio.timeout(PING_PATIENCE):
        connection = await _connect(target)
        try:
            await _send(connection, b"zPING\0")
            if await _receive(connection) != b"PONG\0":
                raise ConnectionError("clamd does not answer PING")
        finally:
            connection.close()


async def _connect(target: str) -> socket.socket:
    if "/" in target:
        return await _dial(socket.AF_UNIX, target)
    host, _, port = target.rpartition(":")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    # The error of the last address is the one to report.
    for family, _, _, _, address in found[:-1]:
        try:
            return await _dial(family, address)
        except OSError:
            continue
    return await _dial(found[-1][0], found[-1][4])


async def _dial(family: int, address: str | tuple[object, ...]) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Closed on cancellation too, or each time-out would leak a descriptor.
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _send(connection: socket.socket, data: bytes) -> None:
    """Sends; if clamd has hung up, raises the error that it reported before."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(connection, data)
    except (BrokenPipeError, ConnectionResetError):
        read_reply(await _receive(connection))
        raise


async def _receive(connection: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    reply = b""
    # TCP may deliver a reply in pieces. An end without NUL is the end of a clamd that
    # died, and `read_reply` accepts no part of a reply.
    while not reply.endswith(b"\0") and len(reply) < REPLY_LIMIT:
        received = await loop.sock_recv(connection, REPLY_LIMIT)
        if not received:
            break
        reply += received
    return reply
