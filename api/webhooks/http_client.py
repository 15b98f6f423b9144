"""Posts a webhook call to an address on the public internet, within a deadline."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from engine.network.dns import DnsUnavailable
from engine.registry import webhooks
from engine.registry.errors import PolicyError
from engine.transport.diagnosis import public_addresses

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# For the whole call. A socket's time-out alone starts again with every byte received.
SECONDS = 10.0
AGENT = "Postern-Webhooks/1"


class NotAccepted(Exception):
    """The endpoint did not accept the call. The message is the reply or the fault."""


class Gone(NotAccepted):
    """The endpoint wants no further calls (410)."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Posts a body, and returns the endpoint's status line, such as "204 No Content".

    Raises NotAccepted for any other status, redirects included, and after SECONDS,
    however slowly the endpoint keeps answering. The name is resolved once and that
    address is dialled: otherwise a name that changes between check and connection could
    lead us into our own network (DNS rebinding).
    """
    try:
        webhooks.check_url(url)
        parts = urlsplit(url)
        connection = _PinnedConnection(parts)
        try:
            sent = {"Content-Type": "application/json", "User-Agent": AGENT, **headers}
            connection.request("POST", _target(parts), body, sent)
            response = connection.getresponse()
        finally:
            connection.close()
    except PolicyError as refusal:
        raise NotAccepted(str(refusal)) from refusal
    except DnsUnavailable as error:
        raise NotAccepted("The host name could not be resolved") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotAccepted(f"No answer: {type(error).__name__}") from error
    answer = f"{response.status} {response.reason}"[:100]
    if response.status == 410:
        raise Gone(answer)
    if not 200 <= response.status < 300:
        raise NotAccepted(answer)
    return answer


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _PinnedConnection(HTTPConnection):
    """A connection to the address that was checked, with TLS for the name in the URL."""

    def __init__(self, parts: SplitResult) -> None:
        self.is_secure = parts.scheme == "https"
        self.deadline = time.monotonic() + SECONDS
        port = parts.port or (443 if self.is_secure else 80)
        super().__init__(parts.hostname or "", port, timeout=SECONDS)

    def connect(self) -> None:
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
