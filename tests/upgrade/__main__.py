"""Upgrades a serving version under traffic, and rolls it back.

    python -m tests.upgrade [COMMIT]

The version COMMIT, by default the first that anybody served from, runs with its own
packages on PostgreSQL. While it accepts mail: this version refuses to start on the old
schema, migrates it, serves beside the old engine, serves alone, and is replaced by the
old engine again. Prints what was acknowledged, lost and doubled, and for how long nothing
was accepted. Exits with 1 if anything was lost or doubled.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.peers.engine import PORTS
from tests.peers.postgres import Postgres
from tests.peers.process import (
    Daemon,
    answers,
    free_port,
    open_folder,
    remove_folder,
    wait_until,
)
from tests.upgrade import versions
from tests.upgrade.next_hop import next_hop
from tests.upgrade.traffic import Traffic, tally
from tests.upgrade.versions import HOME

SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"
STAGE = 8.0  # seconds of traffic in each stage
WAITING = """
    SELECT count(*) FROM queue_recipient WHERE status IN ('queued', 'held')
"""


class Version:
    """One version's engine, on ports of its own, with the state that versions share."""

    def __init__(self, home: Path, python: str, folder: Path, **shared: str) -> None:
        self.home, self.python = home, python
        self.ports = {name: free_port() for name in PORTS}
        self.log = folder / f"engine-{home.name}.log"
        self.environment = {
            **os.environ,
            **shared,
            **{
                f"POSTERN_{name.upper()}_PORT": str(p) for name, p in self.ports.items()
            },
            "PYTHONPATH": str(home),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs Python in this version's folder and returns what it printed."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> None:
        command = [self.python, "manage.py", "run_engine"]
        self._engine = Daemon(command, self.log, env=self.environment, cwd=self.home)
        self._engine.wait_for(lambda: all(map(answers, self.ports.values())))

    def stop(self) -> None:
        self._engine.stop()

    @property
    def faults(self) -> int:
        """How often its log has a traceback."""
        return self.log.read_text(errors="replace").count("Traceback")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def drill(commit: str, folder: Path) -> bool:
    old_home = versions.extract(commit, folder / commit)
    old_python = versions.own_python(old_home)
    with Postgres() as server, next_hop() as (authority, hop):
        shared = authority.environment | {
            "POSTERN_ENV": "test",
            "POSTERN_CLAMD": "off",
            "POSTERN_VAR": str(folder / "var"),
            "POSTERN_DATABASE_URL": server.url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        old = Version(old_home, old_python, folder, **shared)
        new = Version(HOME, sys.executable, folder, **shared)
        checked(old.run("manage.py", "migrate", "--skip-checks", "--verbosity", "0"))
        seed = str(Path(__file__).with_name("seed.py"))
        checked(old.run(seed, SECRET, str(hop.port)))
        hop.stop()
        old.start()
        traffic = Traffic(authority.ca_file, SECRET, [old.ports["smtp"]])
        traffic.start()
        try:
            _stages(old, new, traffic, hop)
        finally:
            traffic.stop()
        wait_until(lambda: _waiting(server.url) == 0, "an empty queue", 600)
        for one in (old, new):
            say(f"tracebacks in the log of {one.home.name}: {one.faults}")
        say(f"refused meanwhile: {dict(traffic.refusals)}")
        found = tally(traffic, hop, server.url)
        say(f"{found}, longest wait {traffic.longest_wait:.1f} s")
        new.stop()
    return not found.lost and not found.doubled


def _stages(old: Version, new: Version, traffic: Traffic, hop) -> None:
    def stage(name: str, work: Callable[[], object] = lambda: None) -> None:
        began, before = time.monotonic(), len(traffic.acknowledged)
        traffic.longest_wait = 0.0
        work()
        time.sleep(STAGE)
        count = len(traffic.acknowledged) - before
        seconds = time.monotonic() - began
        longest = traffic.longest_wait
        say(
            f"{name}: {count} acknowledged in {seconds:.0f} s, longest wait {longest:.1f} s"
        )

    def refuse() -> None:
        done = new.run("manage.py", "run_engine")
        assert done.returncode, "the new engine started on the old schema"
        say(done.stderr.strip().splitlines()[-1])

    def beside() -> None:
        new.start()
        traffic.ports.append(new.ports["smtp"])
        hop.start()

    def alone() -> None:
        traffic.ports.remove(old.ports["smtp"])
        old.stop()

    def back() -> None:
        old.start()
        traffic.ports[:] = [old.ports["smtp"]]
        new.stop()

    def again() -> None:
        new.start()
        traffic.ports[:] = [new.ports["smtp"]]
        old.stop()

    migrate = ("manage.py", "migrate", "--skip-checks", "--verbosity", "0")
    stage("the old version alone")
    stage("the new version refuses", refuse)
    stage("migrating while the old version serves", lambda: checked(new.run(*migrate)))
    stage("the old version on the new schema")
    stage("both versions", beside)
    stage("the new version alone", alone)
    stage("rolled back to the old version", back)
    # A version before content-addressed blobs leaves the bodies over 64 kB that came by
    # the new one in the queue: 451, until the new version serves again.
    stage("the new version again", again)


def checked(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise SystemExit(done.stderr)


def _waiting(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(WAITING).fetchone()
    return row[0] if row else 0


def main(commit: str = versions.FIRST_SERVED) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    folder = open_folder()
    try:
        return 0 if drill(commit, folder) else 1
    finally:
        remove_folder(folder)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
