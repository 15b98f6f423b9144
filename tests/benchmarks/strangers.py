"""Clients that are slow or silent on purpose, for a service of our own on loopback.

Each keeps its connection for as long as the service allows, and reconnects a second
after it is closed. `python -m tests.benchmarks.strangers` runs them until standard
input ends, and prints "ready" when each has connected once.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

PAUSE = 1.0  # seconds between two octets, and before a new connection
# Longer than any service should wait for them.
BODY = 90_000
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
COOKIE = re.compile(rb"[Ss]et-[Cc]ookie: (csrftoken=\w+)")
LOGIN = "/account/login/"
STYLES = re.compile(rb'href="(/static/[^"]+\.css)"')
# Pipelined requests, so that their responses fill every buffer on the way.
FILES = 40
NOT_READ = 4_096


@dataclass(frozen=True)
class Place:
    """Where a client connects to, and from which address."""

    port: int
    address: str


Stranger = Callable[[Place, Callable[[], None]], Awaitable[None]]


def addresses(network: int) -> Iterator[str]:
    """Returns loopback addresses, each in a /24 network of its own."""
    while True:
        for number in range(200):
            yield f"127.{network}.{number}.1"


async def silent(place: Place, connected: Callable[[], None]) -> None:
    """Connects and sends nothing."""
    reader, writer = await _open(place)
    try:
        await reader.read(1)
        connected()
        while await reader.read(1_000):
            pass
    finally:
        writer.close()


async def slow_header(place: Place, connected: Callable[[], None]) -> None:
    """Sends a request whose header never ends."""
    _, writer = await _open(place)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        await writer.drain()
        connected()
        await _drip(writer)
    finally:
        writer.close()


async def slow_body(place: Place, connected: Callable[[], None]) -> None:
    """Submits the sign-in form, with a valid token, one octet at a time."""
    page = await _page(place)
    token, cookie = _found(TOKEN, page), _found(COOKIE, page)
    _, writer = await _open(place)
    try:
        begin = b"csrfmiddlewaretoken=" + token + b"&login="
        writer.write(
            f"POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n".encode()
            + b"Cookie: " + cookie + b"\r\n\r\n" + begin
        )  # fmt: skip
        await writer.drain()
        connected()
        await _drip(writer)
    finally:
        writer.close()


async def slow_reader(place: Place, connected: Callable[[], None]) -> None:
    """Requests large files and reads one octet at a time."""
    loop = asyncio.get_running_loop()
    styles = _found(STYLES, await _page(place)).decode()
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NOT_READ)
        own.setblocking(False)
        own.bind((place.address, 0))
        await loop.sock_connect(own, ("127.0.0.1", place.port))
        ask = f"GET {styles} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * FILES
        await loop.sock_sendall(own, ask)
        connected()
        while await loop.sock_recv(own, 1):
            await asyncio.sleep(PAUSE)


async def _page(place: Place) -> bytes:
    reader, writer = await _open(place)
    try:
        ask = f"GET {LOGIN} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        writer.write(ask.encode())
        return await reader.read()
    finally:
        writer.close()


def _found(pattern: re.Pattern[bytes], page: bytes) -> bytes:
    match = pattern.search(page)
    if match is None:
        raise ConnectionError("the page does not hold what it should")
    return match[1]


async def _open(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(
        "127.0.0.1", place.port, local_addr=(place.address, 0)
    )


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(PAUSE)


async def _stay(stranger: Stranger, place: Place, connected: asyncio.Event) -> None:
    """Reconnects whenever the service closes the connection."""
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            await stranger(place, connected.set)
        await asyncio.sleep(PAUSE)


async def run(web: int, web_port: int, quiet: int, smtp_port: int) -> None:
    """Runs all clients until standard input ends."""
    kinds: list[Stranger] = [slow_header, slow_body, slow_reader]
    slow = zip(range(web), addresses(66), strict=False)
    everybody = [(kinds[n % 3], Place(web_port, address)) for n, address in slow]
    silenced = zip(range(quiet), addresses(70), strict=False)
    everybody += [(silent, Place(smtp_port, address)) for _, address in silenced]
    events = [asyncio.Event() for _ in everybody]
    tasks = []
    for (stranger, place), event in zip(everybody, events, strict=True):
        tasks.append(asyncio.create_task(_stay(stranger, place, event)))
        await asyncio.sleep(0.001)
    with suppress(TimeoutError):
        async with asyncio.timeout(60):
            await asyncio.gather(*(event.wait() for event in events))
    there = sum(event.is_set() for event in events)
    print(f"ready: {there} of {len(events)}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("web", "web-port", "silent", "smtp-port"):
        parser.add_argument(f"--{name}", type=int, required=True)
    chosen = parser.parse_args()
    asyncio.run(run(chosen.web, chosen.web_port, chosen.silent, chosen.smtp_port))


if __name__ == "__main__":
    main()
