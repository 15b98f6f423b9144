"""One signed POST to an address on the open internet, and what it answered."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from engine.dns import DnsUnavailable
from engine.registry import webhooks
from engine.registry.errors import PolicyError
from engine.transport.diagnosis import public_addresses

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# For the whole call. A time-out of the socket alone begins again with every octet.
SECONDS = 10.0
AGENT = "Postern-Webhooks/1"


class NotHeard(Exception):
    """The endpoint did not say that it heard. The message says what it did."""


class Gone(NotHeard):
    """The endpoint says that it wants no more (410)."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Return what the endpoint answered, such as "204 No Content". Raises NotHeard.

    The name is looked up once and its address dialled, so that nobody sends us into our
    own network by changing it in between. Redirects are answers like any other. It is
    over after SECONDS, however slowly the endpoint says something.
    """
    try:
        webhooks.check_url(url)
        parts = urlsplit(url)
        connection = _Pinned(parts)
        try:
            said = {"Content-Type": "application/json", "User-Agent": AGENT, **headers}
            connection.request("POST", _target(parts), body, said)
            response = connection.getresponse()
        finally:
            connection.close()
    except PolicyError as refusal:
        raise NotHeard(str(refusal)) from refusal
    except DnsUnavailable as error:
        raise NotHeard("The name could not be looked up") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotHeard(f"No answer: {type(error).__name__}") from error
    answer = f"{response.status} {response.reason}"[:100]
    if response.status == 410:
        raise Gone(answer)
    if not 200 <= response.status < 300:
        raise NotHeard(answer)
    return answer


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _Pinned(HTTPConnection):
    """A connection to the address that was looked at, under the name that was asked."""

    def __init__(self, parts: SplitResult) -> None:
        self.is_secure = parts.scheme == "https"
        self.ends_at = time.monotonic() + SECONDS
        port = parts.port or (443 if self.is_secure else 80)
        super().__init__(parts.hostname or "", port, timeout=SECONDS)

    def connect(self) -> None:
        found = public_addresses.addresses(self.host)
        if not found:
            raise PolicyError(f"{self.host} is on no address that we may dial.")
        at = (str(found[0]), self.port)
        dialled = socket.create_connection(at, _left(self.ends_at))
        try:
            if self.is_secure:
                context = ssl.create_default_context()
                dialled.settimeout(_left(self.ends_at))
                dialled = context.wrap_socket(dialled, server_hostname=self.host)
        except BaseException:
            dialled.close()
            raise
        self.sock = _Bounded(dialled, self.ends_at)


class _Bounded:
    """What http.client uses of a socket, until a moment and no longer."""

    def __init__(self, dialled: socket.socket, ends_at: float) -> None:
        self._socket, self._ends_at = dialled, ends_at

    def sendall(self, data: ReadableBuffer) -> None:
        self._socket.settimeout(_left(self._ends_at))
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._socket, self._ends_at))

    def close(self) -> None:
        self._socket.close()


class _Reader(io.RawIOBase):
    def __init__(self, dialled: socket.socket, ends_at: float) -> None:
        # Of its own: http.client closes the connection before it has read the answer.
        self._file = dialled.makefile("rb", buffering=0)
        self._socket, self._ends_at = dialled, ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._socket.settimeout(_left(self._ends_at))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _left(ends_at: float) -> float:
    """Raises TimeoutError where nothing is left."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
