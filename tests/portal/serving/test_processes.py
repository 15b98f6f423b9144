"""Several processes of the site on one port."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.peers.process import Daemon, answers, free_port, wait_until

pytestmark = pytest.mark.slow


def serving_children(pid: int) -> list[int]:
    """Without helpers that Python itself starts: since 3.14 one for multiprocessing."""
    numbers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(number)
        for number in numbers
        if b"run_web" in Path(f"/proc/{number}/cmdline").read_bytes()
    ]


def listeners(port: int) -> int:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ours = f"0100007F:{port:04X}"
    return sum(line.split()[1] == ours and line.split()[3] == "0A" for line in lines)


def test_processes_share_the_port_and_end_together(tmp_path: Path) -> None:
    port = free_port()
    own = {
        "POSTERN_ENV": "test",
        "POSTERN_VAR": str(tmp_path),
        "POSTERN_WEB_PORT": str(port),
        "POSTERN_WEB_WORKERS": "2",
    }
    command = [sys.executable, "manage.py", "run_web"]
    web = Daemon(command, tmp_path / "web.log", env=own)
    try:
        web.wait_for(lambda: listeners(port) == 2)
        assert answers(port)
        [other] = serving_children(web.pid)

        os.kill(other, signal.SIGKILL)

        wait_until(lambda: listeners(port) == 0, "the end of both")
    finally:
        web.stop()
