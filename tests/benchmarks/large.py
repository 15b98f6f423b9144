"""What ten simultaneous messages of 25 MB do to the engine's memory and other clients.

A real clamd scans them. Another connection sends NOOP all the while; its slowest reply
shows how long the event loop was blocked at most.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.benchmarks import ready

# isort: split
from django.conf import settings

from portal.demo.certificates import Authority
from tests.benchmarks.contenders import postern
from tests.benchmarks.load import SENDER
from tests.peers.clamd import Clamd
from tests.peers.process import remove_folder, wait_until

MESSAGES = 10
# 25 MB as base64, with line ends.
OCTETS = 25 * 1024 * 1024 * 78 // 57
MEGABYTE = 1024 * 1024


def main() -> None:
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")
    clamd = Clamd(ready.FOLDER / "clamd")
    clamd.start()
    os.environ["POSTERN_CLAMD"] = clamd.socket
    with closing(clamd), postern(authority) as side:
        _send(side.port, side.recipients[0], messages=1)
        wait_until(lambda: side.count() == 1, "the first message", 120)
        before = peak = _memory(side.pids[0])
        probe = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.benchmarks.probe",
                str(settings.POSTERN.smtp_port),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begin = time.perf_counter()
        source = _start(side.port, side.recipients[0], messages=MESSAGES)
        while source.poll() is None:
            peak = max(peak, _memory(side.pids[0]))
            time.sleep(0.01)
        seconds = time.perf_counter() - begin
        wait_until(lambda: side.count() == 1 + MESSAGES, "every message", 120)
        answers, _ = probe.communicate("\n")
    print(f"{MESSAGES} messages of {OCTETS / MEGABYTE:.0f} MB at once: {seconds:.1f} s")
    print(
        f"memory rose by {(peak - before) / MEGABYTE:.0f} MB from {before / MEGABYTE:.0f} MB"
    )
    print(f"answers to NOOP meanwhile: {answers.strip()}")


def _start(port: int, recipient: str, *, messages: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            "smtp-source", "-d", "-s", str(messages), "-m", str(messages),
            "-l", str(OCTETS), "-f", SENDER, "-t", recipient, f"127.0.0.1:{port}",
        ]
    )  # fmt: skip


def _send(port: int, recipient: str, *, messages: int) -> None:
    if _start(port, recipient, messages=messages).wait():
        raise RuntimeError("smtp-source was refused")


def _memory(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
