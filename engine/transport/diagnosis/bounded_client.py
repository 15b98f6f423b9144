"""A blocking SMTP client for untrusted servers, bounded in time and memory."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Self

# Seconds for the whole conversation, and for one read or write.
WHOLE, WORD = 60.0, 20.0
# Octets of one answer.
ANSWER_LIMIT = 64_000


class ClientError(Exception):
    """The server does not answer, or does not speak SMTP."""


class BoundedClient:
    """One connection to a fixed address. Its methods raise ClientError."""

    def __init__(self, connected: socket.socket) -> None:
        self.greeting = ""
        self._socket = connected
        self._heard = b""
        self._ends_at = time.monotonic() + WHOLE

    @classmethod
    def open(cls, address: str, port: int) -> Self:
        """Connects; does not read the greeting."""
        try:
            return cls(socket.create_connection((address, port), WORD))
        except OSError as error:
            raise ClientError(error.strerror or "No answer") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def ask(self, line: str) -> tuple[int, list[str]]:
        """Sends one command and returns the reply's code and lines."""
        try:
            self._socket.sendall(f"{line}\r\n".encode())
        except OSError as error:
            raise ClientError("It hung up") from error
        return self.read_reply()

    def read_reply(self) -> tuple[int, list[str]]:
        """Reads a whole reply (RFC 5321 §4.2.1), with its text made safe to show."""
        lines: list[str] = []
        size = 0
        while True:
            line = self._line()
            size += len(line)
            if size > ANSWER_LIMIT or not line[:3].isdigit():
                raise ClientError("It does not speak SMTP")
            lines.append(_readable(line[4:]))
            if line[3:4] != b"-":
                return int(line[:3]), lines

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Starts TLS. Raises ssl.SSLError where it fails."""
        # Drops what came before TLS, which somebody on the way may have injected.
        self._heard = b""
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=name)
        except ssl.SSLError:
            raise
        except OSError as error:
            raise ClientError("It hung up") from error

    @property
    def tls_version(self) -> str:
        """The TLS version, such as TLSv1.3."""
        return self.secured.version() or ""

    def certificate(self) -> bytes:
        """Returns the server's certificate in DER."""
        return self.secured.getpeercert(binary_form=True) or b""

    @property
    def secured(self) -> ssl.SSLSocket:
        """The TLS session. Raises TypeError before there is one."""
        if not isinstance(self._socket, ssl.SSLSocket):
            raise TypeError("The conversation is not secured.")
        return self._socket

    def _line(self) -> bytes:
        while b"\n" not in self._heard:
            if len(self._heard) > ANSWER_LIMIT or time.monotonic() > self._ends_at:
                raise ClientError("It takes too long")
            self._heard += self._more()
        line, _, self._heard = self._heard.partition(b"\n")
        return line.rstrip(b"\r")

    def _more(self) -> bytes:
        try:
            chunk = self._socket.recv(4096)
        except TimeoutError as error:
            raise ClientError("It says nothing") from error
        except OSError as error:
            raise ClientError("It hung up") from error
        if not chunk:
            raise ClientError("It hung up")
        return chunk


def _readable(line: bytes) -> str:
    text = line.decode("ascii", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
