"""Runs a dialogue, written as a transcript, against a real server.

# a comment
s: 220 *                the server's next reply; * matches anything
s+ 250-STARTTLS         a line that the same reply must contain
c: EHLO me              a line that the client sends
c! DATA\r\nx\n.\r\n     octets that the client sends: with escapes, no line end added
tls                     the client starts TLS
closed                  the server closes the connection
"""

from __future__ import annotations

import socket
import ssl
from fnmatch import fnmatchcase
from pathlib import Path

FOLDER = Path(__file__).parent / "dialogues"
TIMEOUT = 20


class Dialogue:
    """One client connection, driven by a transcript."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._context = context
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._lines = self._socket.makefile("rb")
        self._reply: list[str] = []

    def run(self, text: str, **values: str) -> None:
        """Runs the whole transcript in order, then closes the connection."""
        try:
            self.say(text, **values)
        finally:
            self.close()

    def say(self, text: str, **values: str) -> None:
        """Runs part of a transcript and leaves the connection open for another part.

        `{name}` in the text is replaced by the value of that name. A line that does not
        match raises AssertionError with its number.
        """
        for number, line in enumerate(text.splitlines(), start=1):
            for name, value in values.items():
                line = line.replace("{" + name + "}", value)
            self._step(line, f"line {number}: {line}")

    @property
    def last(self) -> str:
        """The last line of the server's last reply."""
        return self._reply[-1]

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def _step(self, line: str, where: str) -> None:
        word, rest = line[:2], line[3:]
        if word == "s:":
            self._reply = self._read_reply()
            assert self._reply, f"{where}: the server hung up"
            assert fnmatchcase(self._reply[-1], rest), f"{where}: {self._reply[-1]}"
        elif word == "s+":
            assert any(fnmatchcase(got, rest) for got in self._reply), where
        elif word == "c:":
            self._socket.sendall(rest.encode() + b"\r\n")
        elif word == "c!":
            self._socket.sendall(
                rest.encode().decode("unicode_escape").encode("latin-1")
            )
        elif line.strip() == "tls":
            self._begin_tls()
        elif line.strip() == "closed":
            assert not self._lines.readline(), where
        else:
            assert not line.strip() or line.startswith("#"), where

    def _read_reply(self) -> list[str]:
        lines = []
        while raw := self._lines.readline():
            line = raw.decode().rstrip("\r\n")
            lines.append(line)
            if line[3:4] != "-":
                break
        return lines

    def _begin_tls(self) -> None:
        self._lines.close()
        self._socket = self._context.wrap_socket(
            self._socket, server_hostname="localhost"
        )
        self._lines = self._socket.makefile("rb")
