"""A client of clamd's INSTREAM command, over a Unix socket or TCP.

A non-blocking socket rather than a stream: clamd may answer and hang up while we are
still sending, and a stream throws that answer away with the broken pipe.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.antivirus.base import ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState

NAME = "clamd"
PATIENCE = 60.0  # seconds spent waiting for clamd over a whole scan, not for the peer
CHUNK = 64 * 1024  # octets sent at a time; clamd accepts up to its StreamMaxLength
REPLY_LIMIT = 4096  # octets


class ClamdScanner:
    """`target` is the path of a Unix socket, or host:port."""

    def __init__(self, target: str, *, patience: float = PATIENCE) -> None:
        self.target = target
        self.patience = patience

    def open(self) -> ClamdScan:
        return ClamdScan(self.target, patience=self.patience)


class ClamdScan:
    """One connection to clamd, made when the first octets come."""

    def __init__(self, target: str, *, patience: float) -> None:
        self._target = target
        self._patience = patience
        self._socket: socket.socket | None = None
        self._pending = bytearray()
        self._is_over = False

    async def feed(self, chunk: bytes) -> None:
        self._pending += chunk
        if len(self._pending) >= CHUNK:
            await self._flush()

    async def verdict(self) -> Verdict:
        try:
            await self._flush()
            async with self._waiting() as connection:
                await _send(connection, bytes(4))
                reply = await _receive(connection)
        finally:
            await self.abandon()
        return read_reply(reply)

    async def abandon(self) -> None:
        self._is_over = True
        self._pending.clear()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _flush(self) -> None:
        async with self._waiting() as connection:
            for start in range(0, len(self._pending), CHUNK):
                piece = self._pending[start : start + CHUNK]
                await _send(connection, len(piece).to_bytes(4, "big") + piece)
        self._pending.clear()

    @asynccontextmanager
    async def _waiting(self) -> AsyncIterator[socket.socket]:
        """Lend the connection, within what is left of the scan's patience."""
        started = time.monotonic()
        is_done = False
        try:
            async with asyncio.timeout(self._patience):
                yield await self._connected()
            is_done = True
        except TimeoutError as error:
            raise ScannerUnavailable("the scanner does not answer in time") from error
        except OSError as error:
            raise ScannerUnavailable("the scanner cannot be reached") from error
        finally:
            self._patience = max(0.0, self._patience - (time.monotonic() - started))
            if not is_done:
                await self.abandon()

    async def _connected(self) -> socket.socket:
        if self._is_over:
            # Never a second connection: it would see only the rest of the message.
            raise ScannerUnavailable("the scan was broken off")
        if self._socket is None:
            self._socket = await _connect(self._target)
            await _send(self._socket, b"zINSTREAM\0")
        return self._socket


def read_reply(reply: bytes) -> Verdict:
    """Understand clamd's answer. Anything but a plain yes or no raises."""
    text = reply.rstrip(b"\0\n").decode("utf-8", "replace")
    if text == "stream: OK":
        return Verdict(VerdictState.CLEAN, scanner=NAME)
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        signature = text.removeprefix("stream: ").removesuffix(" FOUND")
        return Verdict(VerdictState.INFECTED, signature[:200], NAME)
    if "size limit exceeded" in text:
        raise ScannerUnavailable("the message is larger than the scanner takes")
    if not text:
        raise ScannerUnavailable("the scanner hung up")
    raise ScannerUnavailable("the scanner reported an error")


async def _connect(target: str) -> socket.socket:
    if "/" in target:
        return await _dial(socket.AF_UNIX, target)
    host, _, port = target.rpartition(":")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    for family, _, _, _, address in found[:-1]:
        try:
            return await _dial(family, address)
        except OSError:
            continue
    return await _dial(found[-1][0], found[-1][4])


async def _dial(family: int, address: str | tuple[object, ...]) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _send(connection: socket.socket, data: bytes) -> None:
    """Send, or, where clamd has hung up, raise what it said before it did."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(connection, data)
    except (BrokenPipeError, ConnectionResetError):
        read_reply(await _receive(connection))
        raise


async def _receive(connection: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    reply = b""
    while not reply.endswith(b"\0") and len(reply) < REPLY_LIMIT:
        received = await loop.sock_recv(connection, REPLY_LIMIT)
        if not received:
            break
        reply += received
    return reply
