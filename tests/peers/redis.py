"""A private Redis without persistence."""

from __future__ import annotations

import signal
import socket
from collections.abc import Sequence
from typing import Self

from tests.peers.process import Daemon, free_port, open_folder, remove_folder


class Redis:
    """Listens on a free port, usually of loopback, the same one after each start."""

    def __init__(self, *, host: str = "127.0.0.1", inside: Sequence[str] = ()) -> None:
        """`inside` precedes the command, to run it in a network namespace."""
        self.host = host
        self.port = free_port()
        self.folder = open_folder()
        self.url = f"redis://{host}:{self.port}/0"
        self._inside = list(inside)
        self._daemon: Daemon | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        remove_folder(self.folder)

    def start(self) -> None:
        self._daemon = Daemon(
            [
                *self._inside, "redis-server", "--bind", self.host,
                "--port", str(self.port), "--protected-mode", "no",
                "--save", "", "--appendonly", "no", "--dir", str(self.folder),
            ],
            self.folder / "server.log",
        )  # fmt: skip
        self._daemon.wait_for(self._answers)

    def stop(self) -> None:
        """Ends the process immediately; its data is lost."""
        if self._daemon is not None:
            self._daemon.stop(signal.SIGKILL)
            self._daemon = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), 1) as client:
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
