"""The load, the same for each system: smtp-source, through a TLS tunnel."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.process import wait_until

SENDER = "jane@firm.example"
OCTETS = 5120
PATIENCE = 600.0  # seconds for one round


@dataclass(frozen=True)
class Load:
    """How many messages to send, of what size, over how many connections at once.

    `is_kept` is False where each message has a connection of its own. `message` is a file
    that is sent instead of what smtp-source makes up.
    """

    messages: int
    sessions: int
    octets: int = OCTETS
    is_kept: bool = True
    message: Path | None = None


@dataclass(frozen=True)
class Rate:
    """Messages a second: answered with 250, and stored in the mailbox."""

    accepted: float
    kept: float


def measure(
    load: Load, *, port: int, recipients: Sequence[str], count: Callable[[], int]
) -> Rate:
    """Sends the load and waits until every message is stored; returns the rates."""
    before = count()
    begin = time.perf_counter()
    sources = [_start(load, len(recipients), port, to) for to in recipients]
    if any(source.wait() for source in sources):
        raise RuntimeError("smtp-source was refused")
    accepted = time.perf_counter() - begin
    expected = before + load.messages
    wait_until(lambda: count() >= expected, "every message kept", PATIENCE)
    kept = time.perf_counter() - begin
    if count() != expected:
        raise RuntimeError(f"{count() - before} kept of {load.messages} sent")
    return Rate(load.messages / accepted, load.messages / kept)


def _start(
    load: Load, sources: int, port: int, recipient: str
) -> subprocess.Popen[bytes]:
    command = [
        "smtp-source", *(["-d"] if load.is_kept else []),
        "-s", str(load.sessions // sources),
        "-m", str(load.messages // sources),
        *(["-F", str(load.message)] if load.message else ["-l", str(load.octets)]),
        "-f", SENDER, "-t", recipient, f"127.0.0.1:{port}",
    ]  # fmt: skip
    return subprocess.Popen(command)
