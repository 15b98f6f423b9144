"""How soon 500 browsers hear of new mail, and what their event streams cost one process.

Starts PostgreSQL and one process of the site, signs people in, and holds an event stream
open for each over a raw socket, as browsers do. Then it delivers a message at a time into
a group mailbox that all of them read, by the transaction that accepts mail, and measures
until the last of them has heard; and a message to one person's own mailbox. `--streams`
changes the number, `--rounds` the deliveries. The last line is three seconds divided by
the longest time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.peers.postgres import Postgres
from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

PROMISE = 3.0  # seconds
PATIENCE = 60.0
# Models can only be imported once Django is set up.
PREPARE = (
    "import django; django.setup();"
    "from tests.benchmarks import webmail_live_side; webmail_live_side.main()"
)
CONNECTED_AT_ONCE = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    folder = open_folder()
    try:
        with Postgres() as postgres:
            _measure(options, folder, postgres.url)
    finally:
        remove_folder(folder)


def _measure(options: argparse.Namespace, folder: Path, database: str) -> None:
    port = free_port()
    environment = {
        "POSTERN_ENV": "development",
        "POSTERN_VAR": str(folder),
        "POSTERN_DATABASE_URL": database,
        "POSTERN_WEB_PORT": str(port),
        "POSTERN_WEB_URL": f"http://localhost:{port}",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(migrate, env=os.environ | environment, check=True)
    side = subprocess.Popen(
        [sys.executable, "-c", PREPARE, str(options.streams)],
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    web = Daemon(
        [sys.executable, "manage.py", "run_web"], folder / "web.log", env=environment
    )
    try:
        assert side.stdin and side.stdout
        sessions = side.stdout.readline().split()
        web.wait_for(lambda: answers(port), PATIENCE)
        listening = Listening(port, web.pid, Deliverer(side))
        asyncio.run(listening.run(sessions, options.rounds))
    finally:
        web.stop()
        side.kill()
        side.wait()


@dataclass
class Deliverer:
    """The process that delivers, on request: it has Django, this one has the sockets."""

    side: subprocess.Popen[str]

    def deliver(self, what: str) -> None:
        """Delivers a message to the `team`, or to `one` person; returns when it is kept."""
        assert self.side.stdin and self.side.stdout
        self.side.stdin.write(f"{what}\n")
        self.side.stdin.flush()
        assert self.side.stdout.readline().strip() == "kept"


@dataclass
class Listening:
    """The browsers' ends of the streams."""

    port: int
    pid: int
    deliverer: Deliverer

    async def run(self, sessions: list[str], rounds: int) -> None:
        await self._connect(sessions[0])  # what the first request of a process loads
        await asyncio.sleep(2)
        before = _memory(self.pid)
        began = time.monotonic()
        streams: list[asyncio.StreamReader] = []
        for start in range(0, len(sessions), CONNECTED_AT_ONCE):
            some = sessions[start : start + CONNECTED_AT_ONCE]
            streams += await asyncio.gather(*map(self._connect, some))
        print(f"{len(streams)} streams opened in {time.monotonic() - began:.1f} s")
        await asyncio.sleep(2)
        each = (_memory(self.pid) - before) / len(streams)
        cost = await self._idle_cost()
        team = [await self._round("team", streams) for _ in range(rounds)]
        one = [await self._round("one", streams[:1]) for _ in range(rounds)]
        _report(f"the last of {len(streams)}", team)
        _report("one person", one)
        print(f"memory for each stream {each / 1024:.0f} kB")
        print(f"processor while nothing happens {cost:.1f} % of one core")
        print(f"ratio {PROMISE / max(*team, *one):.2f}")

    async def _connect(self, session: str) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            b"GET /mail/live/events/ HTTP/1.1\r\nHost: localhost\r\n"
            b"Cookie: sessionid=" + session.encode() + b"\r\n\r\n"
        )
        # The writer closes its socket when it is collected.
        reader.writer = writer  # type: ignore[attr-defined]
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        await _event(reader)
        return reader

    async def _round(self, what: str, streams: list[asyncio.StreamReader]) -> float:
        loop = asyncio.get_running_loop()
        # At any moment between two looks.
        await asyncio.sleep(1 + loop.time() * 7 % 1)
        heard = asyncio.gather(*map(_event, streams))
        began = time.monotonic()
        await loop.run_in_executor(None, self.deliverer.deliver, what)
        async with asyncio.timeout(PATIENCE):
            await heard
        return time.monotonic() - began

    async def _idle_cost(self) -> float:
        before, seconds = _processor_time(self.pid), 10
        await asyncio.sleep(seconds)
        return 100 * (_processor_time(self.pid) - before) / seconds


async def _event(reader: asyncio.StreamReader) -> None:
    while not (line := await reader.readline()).startswith(b"data: "):
        if not line:
            raise SystemExit("A stream ended.")


def _memory(pid: int) -> int:
    """Returns the memory of the process that no other shares, in bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise LookupError(pid)


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    print(
        f"{name:20} heard after p50 {statistics.median(ordered):.2f} s, "
        f"p95 {p95:.2f} s, max {ordered[-1]:.2f} s"
    )


if __name__ == "__main__":
    main()
