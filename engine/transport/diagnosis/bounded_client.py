"""A few words of SMTP with a server that may be anything: little time, little memory."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Self

# Seconds for the whole conversation, and for one word of it.
WHOLE, WORD = 60.0, 20.0
# Octets of one answer.
ANSWER_LIMIT = 64_000


class TalkError(Exception):
    """The other side does not answer, or not in SMTP."""


class Talk:
    """One connection to a fixed address. Its methods raise TalkError."""

    def __init__(self, connected: socket.socket) -> None:
        self.greeting = ""
        self._socket = connected
        self._heard = b""
        self._ends_at = time.monotonic() + WHOLE

    @classmethod
    def open(cls, address: str, port: int) -> Self:
        try:
            return cls(socket.create_connection((address, port), WORD))
        except OSError as error:
            raise TalkError(error.strerror or "No answer") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(self, line: str) -> tuple[int, list[str]]:
        """Say one command and return the answer's code and lines."""
        try:
            self._socket.sendall(f"{line}\r\n".encode())
        except OSError as error:
            raise TalkError("It hung up") from error
        return self.hear()

    def hear(self) -> tuple[int, list[str]]:
        """One whole answer (RFC 5321 §4.2.1), its text made fit to show."""
        lines: list[str] = []
        size = 0
        while True:
            line = self._line()
            size += len(line)
            if size > ANSWER_LIMIT or not line[:3].isdigit():
                raise TalkError("It does not speak SMTP")
            lines.append(_readable(line[4:]))
            if line[3:4] != b"-":
                return int(line[:3]), lines

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Begin TLS. Raises ssl.SSLError where it fails."""
        self._heard = b""
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=name)
        except ssl.SSLError:
            raise
        except OSError as error:
            raise TalkError("It hung up") from error

    @property
    def tls_version(self) -> str:
        return self._secured.version() or ""

    def certificate(self) -> bytes:
        return self._secured.getpeercert(binary_form=True) or b""

    @property
    def _secured(self) -> ssl.SSLSocket:
        if not isinstance(self._socket, ssl.SSLSocket):
            raise TypeError("The conversation is not secured.")
        return self._socket

    def _line(self) -> bytes:
        while b"\n" not in self._heard:
            if len(self._heard) > ANSWER_LIMIT or time.monotonic() > self._ends_at:
                raise TalkError("It takes too long")
            self._heard += self._more()
        line, _, self._heard = self._heard.partition(b"\n")
        return line.rstrip(b"\r")

    def _more(self) -> bytes:
        try:
            chunk = self._socket.recv(4096)
        except TimeoutError as error:
            raise TalkError("It says nothing") from error
        except OSError as error:
            raise TalkError("It hung up") from error
        if not chunk:
            raise TalkError("It hung up")
        return chunk


def _readable(line: bytes) -> str:
    text = line.decode("ascii", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
