"""Several processes of the site on one port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import migrated
from tests.peers.process import Daemon, answers, command_line, free_port, wait_until

pytestmark = pytest.mark.slow


def serving_children(pid: int) -> list[int]:
    """Leaves out Python's own helper for multiprocessing (since 3.14)."""
    numbers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid for pid in map(int, numbers) if "run_web" in command_line(pid)]


def listeners(port: int) -> int:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ours = f"0100007F:{port:04X}"
    return sum(line.split()[1] == ours and line.split()[3] == "0A" for line in lines)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Daemon, int]]:
    """Two processes of the site, and their port."""
    port = free_port()
    # tests.settings gives each worker of pytest-xdist a folder of this name.
    var = tmp_path / os.environ.get("PYTEST_XDIST_WORKER", "var")
    var.mkdir()
    own = {
        "POSTERN_ENV": "test",
        "POSTERN_VAR": str(var),
        "POSTERN_DATABASE_URL": "",
        "POSTERN_WEB_PORT": str(port),
        "POSTERN_WEB_WORKERS": "2",
    }
    _migrate(var, own)
    daemon = Daemon(
        [sys.executable, "manage.py", "run_web"], tmp_path / "web.log", env=own
    )
    try:
        daemon.wait_for(lambda: listeners(port) == 2)
        assert answers(port)
        yield daemon, port
    finally:
        daemon.stop()


def _migrate(var: Path, own: dict[str, str]) -> None:
    """Makes the database of a state folder: no process starts while migrations are due."""
    if copy := migrated.prepared(migrated.SQLITE):
        shutil.copyfile(copy, var / migrated.SQLITE)
    else:
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, env=os.environ | own, check=True)


def test_one_that_is_killed_is_replaced(web: tuple[Daemon, int]) -> None:
    daemon, port = web
    [other] = serving_children(daemon.pid)

    os.kill(other, signal.SIGKILL)

    wait_until(lambda: serving_children(daemon.pid) not in ([], [other]), "another")
    wait_until(lambda: listeners(port) == 2, "both at the port")
    assert "was killed by SIGKILL; restarting" in daemon.log.read_text()


def test_the_others_end_with_the_first_and_leave_the_port_to_its_replacement(
    web: tuple[Daemon, int],
) -> None:
    daemon, port = web

    os.kill(daemon.pid, signal.SIGKILL)

    wait_until(lambda: listeners(port) == 0, "the end of both")


def test_all_end_when_asked_to(web: tuple[Daemon, int]) -> None:
    daemon, port = web

    os.kill(daemon.pid, signal.SIGTERM)

    wait_until(lambda: listeners(port) == 0, "the end of both")
