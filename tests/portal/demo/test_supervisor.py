from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.demo.supervisor import Supervisor
from tests.peers.process import wait_until

pytestmark = pytest.mark.slow

WAITS = [sys.executable, "-c", "import time; time.sleep(600)"]
ENDS = [sys.executable, "-c", ""]
STARTS_ANOTHER = (
    "import subprocess, sys, time, pathlib;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); time.sleep(600)"
)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ask_ourselves_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_all_stop_when_asked_to() -> None:
    supervisor = Supervisor(
        {"one": WAITS, "two": WAITS},
        is_ready=lambda: True,
        on_ready=ask_ourselves_to_stop,
    )

    assert supervisor.run() == ""
    assert all(process.poll() is not None for process in supervisor.processes.values())


def test_all_stop_when_one_ends() -> None:
    supervisor = Supervisor(
        {"one": WAITS, "two": ENDS}, is_ready=lambda: False, on_ready=lambda: None
    )

    assert supervisor.run() == "two"
    assert all(process.poll() is not None for process in supervisor.processes.values())


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    supervisor = Supervisor(
        {"one": [sys.executable, "-c", STARTS_ANOTHER, str(note)]},
        is_ready=lambda: note.exists() and note.read_text() != "",
        on_ready=ask_ourselves_to_stop,
    )

    supervisor.run()

    pid = int(note.read_text())
    wait_until(lambda: not is_running(pid), "the end of the child")


def is_running(pid: int) -> bool:
    """A zombie waits for its parent only, and runs no more."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
