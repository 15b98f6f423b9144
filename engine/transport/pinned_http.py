"""One HTTP request to a public host of somebody else's choice, within a deadline.

A host is resolved once, and the address that was checked is dialled: a name that changes
between check and connection could lead us into our own network (DNS rebinding).
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from engine.registry.errors import PolicyError
from engine.transport.diagnosis import public_addresses

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class PinnedConnection(HTTPConnection):
    """A connection to the address that was checked, with TLS for the name in the URL.

    `seconds` is for all of it, however slowly the other side keeps answering: a socket's
    time-out alone starts again with every byte received.
    """

    def __init__(self, parts: SplitResult, *, seconds: float) -> None:
        self.is_secure = parts.scheme == "https"
        self.deadline = time.monotonic() + seconds
        port = parts.port or (443 if self.is_secure else 80)
        super().__init__(parts.hostname or "", port, timeout=seconds)

    def connect(self) -> None:
        """Dials. Raises DnsUnavailable, OSError, and PolicyError for a private address."""
        found = public_addresses.addresses(self.host)
        if not found:
            raise PolicyError(f"{self.host} has no public address that we may dial.")
        address = (str(found[0]), self.port)
        dialled = socket.create_connection(address, _seconds_left(self.deadline))
        try:
            if self.is_secure:
                context = ssl.create_default_context()
                dialled.settimeout(_seconds_left(self.deadline))
                dialled = context.wrap_socket(dialled, server_hostname=self.host)
        except BaseException:
            dialled.close()
            raise
        self.sock = _DeadlineSocket(dialled, self.deadline)


def target(parts: SplitResult) -> str:
    """Returns the target of a request for a URL: its path and query."""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _DeadlineSocket:
    """The part of a socket that http.client uses, with one deadline for all of it."""

    def __init__(self, dialled: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = dialled, deadline

    def sendall(self, data: ReadableBuffer) -> None:
        self._socket.settimeout(_seconds_left(self._deadline))
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._socket, self._deadline))

    def close(self) -> None:
        self._socket.close()


class _DeadlineReader(io.RawIOBase):
    def __init__(self, dialled: socket.socket, deadline: float) -> None:
        # A file of its own: http.client closes the connection before it has read the
        # answer.
        self._file = dialled.makefile("rb", buffering=0)
        self._socket, self._deadline = dialled, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._socket.settimeout(_seconds_left(self._deadline))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _seconds_left(deadline: float) -> float:
    """Returns the seconds until the deadline. Raises TimeoutError after it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
