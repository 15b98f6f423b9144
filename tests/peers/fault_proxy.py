"""An HTTP-blind TCP proxy that is slow, cuts connections or answers 404, 500 and 503."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from enum import StrEnum
from typing import Self

from tests.peers.process import free_port

PIECE = 64 * 1024
ANSWER = (
    b"HTTP/1.1 %d Fault\r\nContent-Type: application/xml\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


class Fault(StrEnum):
    """What happens to new connections, and to open ones at their next octets."""

    NONE = "none"
    SLOW = "slow"  # each piece waits for `delay`
    SILENT = "silent"  # takes everything and never answers
    CUT = "cut"  # ends at the first octets
    CUT_REPLY = "cut_reply"  # the server gets all, its answer is lost
    ERROR_404 = "404"
    ERROR_500 = "500"
    ERROR_503 = "503"


class FaultProxy:
    """Stands between a client and the server on a loopback port."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.fault = Fault.NONE
        self.delay = 0.0
        self.connections = 0
        self._target = target
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._is_closed = threading.Event()

    def __enter__(self) -> Self:
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed.set()
        # Wakes the thread that accepts, which closing alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._is_closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket() as server:
            try:
                server.connect(("127.0.0.1", self._target))
            except OSError:
                return
            back = threading.Thread(
                target=self._pump, args=(server, client, True), daemon=True
            )
            back.start()
            self._pump(client, server, False)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if not self._pass(piece, source, sink, is_reply):
                    break
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _pass(
        self, piece: bytes, source: socket.socket, sink: socket.socket, is_reply: bool
    ) -> bool:
        """Passes a piece on, or does what the fault says; returns whether to go on."""
        match self.fault:
            case Fault.SILENT:
                while self.fault is Fault.SILENT and not self._is_closed.wait(0.05):
                    pass
                return False
            case Fault.CUT:
                return False
            case Fault.CUT_REPLY if is_reply:
                return False
            case Fault.ERROR_404 | Fault.ERROR_500 | Fault.ERROR_503 if not is_reply:
                source.sendall(ANSWER % int(self.fault))
                return False
            case Fault.SLOW:
                time.sleep(self.delay)
        sink.sendall(piece)
        return True
