"""Starts external programs, waits until they answer, and ends them by their pid."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PATIENCE = 120.0  # seconds, for a slow machine; no measurement depends on it


class PeerError(Exception):
    """A peer did not start, or did not do what was asked of it."""


# Below the range from which the kernel assigns ephemeral ports.
PORTS = range(20_000, 32_000)

_held: list[socket.socket] = []
_candidates = itertools.cycle(random.SystemRandom().sample(PORTS, len(PORTS)))


def free_port() -> int:
    """Returns a port that no other caller gets while this process lives.

    This process keeps it bound. A server that sets SO_REUSEADDR, as most do, can still
    listen on it.
    """
    for port in itertools.islice(_candidates, len(PORTS)):
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            holder.close()
            continue
        # Set after the bind, which has to fail if another process holds the port.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _held.append(holder)
        return port
    raise PeerError("No port is free.")


def wait_until(done: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Polls until `done` returns True; raises PeerError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not done():
        if time.monotonic() > deadline:
            raise PeerError(f"{what}: not within {patience:g} seconds")
        time.sleep(0.02)


def answers(port: int, host: str = "127.0.0.1") -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False


def open_folder() -> Path:
    """Creates a temporary folder that daemons running as another user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="peer-"))
    folder.chmod(0o755)
    return folder


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def process_tree(pid: int) -> list[int]:
    """Returns the pids of the process and its descendants."""
    found = [pid]
    for parent in found:
        # Any of them may end meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            found += map(int, children.split())
    return found


def is_running(pid: int) -> bool:
    """Returns False for a zombie, which only waits for its parent."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def command_line(pid: int) -> str:
    """Returns the process's command line, or nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Daemon:
    """A program in the foreground, in its own process group."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
                start_new_session=True,
                cwd=cwd,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, done: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Waits for `done`; raises PeerError with the log if it exits.

        A program that does not start in time is killed, or it would run during later
        tests.
        """

        def done_or_dead() -> bool:
            return self._process.poll() is not None or done()

        try:
            wait_until(done_or_dead, f"start of {self._process.args}", patience)
        except PeerError:
            self.stop(signal.SIGKILL)
            raise
        if self._process.poll() is not None:
            raise PeerError(self.log.read_text(errors="replace")[-2000:])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Sends the signal; kills the group if it runs on for 10 seconds."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
