"""A milter as Postfix's peer: one process, with its files in a folder of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder


class Milter(ABC):
    """One milter on a free port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = open_folder()
        self._daemon: Daemon | None = None

    @abstractmethod
    def configure(self) -> list[str]:
        """Writes its files into the folder; returns the command that starts it."""

    @property
    def milter(self) -> str:
        """Its address, as Postfix's smtpd_milters names it."""
        return f"inet:127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._daemon = Daemon(self.configure(), self.folder / "milter.log")
        self._daemon.wait_for(lambda: answers(self.port))
        return self

    def __exit__(self, *error: object) -> None:
        if self._daemon is not None:
            self._daemon.stop()
        remove_folder(self.folder)

    def log(self) -> str:
        return (self.folder / "milter.log").read_text(errors="replace")
