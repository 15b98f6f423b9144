"""Downloads maildrops by POP3 over TLS, one RETR at a time, as most mail programs do."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks.contenders import Contender
from tests.peers.process import PeerError

PATIENCE = 120.0  # seconds for one reply
END = b"\r\n.\r\n"


def download(side: Contender, messages: int, ca_file: Path) -> None:
    """Downloads that many messages, as many from each mailbox, at the same time."""
    context = ssl.create_default_context(cafile=str(ca_file))
    each = messages // len(side.mailboxes)

    def one(mailbox: tuple[str, str]) -> None:
        address = ("localhost", side.pop3s_port)
        with (
            socket.create_connection(address, PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            _download(connection, *mailbox, each)

    with ThreadPoolExecutor(len(side.mailboxes)) as threads:
        list(threads.map(one, side.mailboxes.items()))


def _download(
    connection: ssl.SSLSocket, username: str, password: str, messages: int
) -> None:
    _read(connection, b"\r\n")
    for line in (f"USER {username}", f"PASS {password}"):
        connection.sendall(f"{line}\r\n".encode())
        _read(connection, b"\r\n")
    for number in range(1, messages + 1):
        connection.sendall(b"RETR %d\r\n" % number)
        _read(connection, END)
    connection.sendall(b"QUIT\r\n")
    _read(connection, b"\r\n")


def _read(connection: ssl.SSLSocket, end: bytes) -> None:
    """Reads a reply up to its end; raises PeerError where it is an error."""
    reply = bytearray()
    while not reply.endswith(end):
        chunk = connection.recv(65536)
        reply += chunk
        if not chunk or not reply.startswith(b"+OK"[: len(reply)]):
            raise PeerError(f"a POP3 server answered {bytes(reply[:200])!r}")
