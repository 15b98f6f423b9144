"""How long the engine and the website take from exec to their first answer.

The engine's is the 220 of a port that knows every route, the website's the sign-in page.
"""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.benchmarks import ready

# isort: split
from django.conf import settings
from django.core.management import call_command

from portal.demo.certificates import Authority
from tests.peers.process import Daemon, free_port, remove_folder

PATIENCE = 300.0
ROUNDS = 3


def main(wanted: dict[str, Any]) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")
    web_port = free_port()
    for _ in range(min(ROUNDS, wanted["rounds"])):
        _measure("engine", "run_engine", {}, _greets)
        _measure(
            "website",
            "run_web",
            {"POSTERN_WEB_PORT": str(web_port)},
            lambda: _shows(web_port),
        )


def _measure(
    name: str, command: str, env: dict[str, str], is_up: Callable[[], bool]
) -> None:
    began = time.perf_counter()
    daemon = Daemon(
        [sys.executable, "manage.py", command],
        settings.POSTERN.path(f"{command}.log"),
        env=env,
    )
    try:
        daemon.wait_for(is_up, PATIENCE)
        took = time.perf_counter() - began
        print(
            f"{name}: {took:.1f} s to the first answer,"
            f" {_processor(daemon.pid):.1f} s of processor time",
            flush=True,
        )
    finally:
        daemon.stop()


def _greets() -> bool:
    with suppress(OSError):
        address = ("127.0.0.1", settings.POSTERN.smtp_port)
        with socket.create_connection(address, 1) as client:
            return client.recv(100).startswith(b"220")
    return False


def _shows(port: int) -> bool:
    with suppress(OSError):
        url = f"http://127.0.0.1:{port}/account/login/"
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return bool(response.status == 200)
    return False


def _processor(pid: int) -> float:
    # In nanoseconds, of all threads (proc(5), schedstat's first number).
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in tasks) / 1e9


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    finally:
        remove_folder(ready.FOLDER)
