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
# Seconds that it has to start, and to stop.
PATIENCE = 300
GRACE = 30


class StageError(Exception):
    """Raised if the demo community did not start; the message is the end of its log."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Its URL, and its people (entries of demo.json) by local part."""

    site: str
    people: dict[str, dict[str, Any]]


@contextmanager
def stage() -> Iterator[Stage]:
    """Runs a demo community until the block ends. Raises StageError if it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="stage-"))
    ports = {name: _free_port() for name in PORTS}
    # `localhost`, so that no machine's name appears in the pictures.
    site = f"http://localhost:{ports['WEB']}"
    log = folder / "up.log"
    with log.open("wb") as output:
        running = subprocess.Popen(  # noqa: S603
            [sys.executable, sys.argv[0], "up"],
            env=_environment(folder, ports, site),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(running, log)
        yield Stage(site, _people(folder))
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(GRACE)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, ports: dict[str, int], site: str) -> dict[str, str]:
    return {
        **os.environ,
        "POSTERN_ENV": "development",
        "POSTERN_VAR": str(folder),
        "POSTERN_WEB_URL": site,
        **{f"POSTERN_{name}_PORT": str(port) for name, port in ports.items()},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while b"Ctrl-C stops it." not in log.read_bytes():
        if running.poll() is not None or time.monotonic() > deadline:
            raise StageError(log.read_text(errors="replace")[-2000:])
        time.sleep(0.5)


def _people(folder: Path) -> dict[str, dict[str, Any]]:
    facts = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    return {who["address"].partition("@")[0]: who for who in facts["people"]}
