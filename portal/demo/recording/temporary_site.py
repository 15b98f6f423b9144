"""Runs a temporary demo community for recordings, on free ports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORTS = ("WEB", "SMTP", "SUBMISSION", "SUBMISSIONS", "POP3", "POP3S")
# Seconds.
START_TIMEOUT = 300
STOP_TIMEOUT = 30


class StartError(Exception):
    """Raised if the demo community did not start; the message is the end of its log."""


@dataclass(frozen=True, slots=True)
class TemporarySite:
    """A running demo site. `people` maps local parts to entries of demo.json."""

    url: str
    people: dict[str, dict[str, Any]]


@contextmanager
def temporary_site() -> Iterator[TemporarySite]:
    """Runs a demo community until the block ends. Raises StartError if it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="recording-"))
    ports = {name: _free_port() for name in PORTS}
    # `localhost`, so that no machine's name appears in the pictures.
    url = f"http://localhost:{ports['WEB']}"
    log = folder / "up.log"
    with log.open("wb") as output:
        running = subprocess.Popen(  # noqa: S603
            [sys.executable, sys.argv[0], "up"],
            env=_environment(folder, ports, url),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(running, log)
        yield TemporarySite(url, _people(folder))
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(STOP_TIMEOUT)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, ports: dict[str, int], url: str) -> dict[str, str]:
    return {
        **os.environ,
        "POSTERN_ENV": "development",
        "POSTERN_VAR": str(folder),
        "POSTERN_WEB_URL": url,
        **{f"POSTERN_{name}_PORT": str(port) for name, port in ports.items()},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while b"Ctrl-C stops it." not in log.read_bytes():
        if running.poll() is not None or time.monotonic() > deadline:
            raise StartError(log.read_text(errors="replace")[-2000:])
        time.sleep(0.5)


def _people(folder: Path) -> dict[str, dict[str, Any]]:
    facts = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    return {who["address"].partition("@")[0]: who for who in facts["people"]}
