"""How long ten signed-in people wait for webmail's pages, side by side.

A folder of a hundred thousand messages, and one of a thousand, on PostgreSQL and on
SQLite. Ten people ask at the same time over connections that stay open, of `run_web` as
it serves in production, for lists, messages, searches, and to save and send what they
write. Also prints the statements of a page, and how much longer it takes in the large
folder than in the small one.

With `--beside COMMIT` that version is measured in the same run, from its own worktree and
environment and on its own database; rounds alternate, because the machine's speed drifts.
The last line is the 95th percentile of its times divided by ours: the worse of lists and
open messages, on PostgreSQL. Without it, the last line has ours alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import migrated
from tests.benchmarks.worktrees import HOME, worktree
from tests.peers.postgres import HASTY, Postgres

SIDE = Path(__file__).with_name("webmail_side.py")
OURS = "this version"
STATEMENTS = 8  # at most, for a page
GROUPS = {"lists": "list", "open": "open", "search": "search", "write": "write"}


@dataclass
class Side:
    """One version with its database, while it serves."""

    process: subprocess.Popen[str]
    statements: dict[str, int]
    times: dict[str, list[float]] = field(default_factory=dict)

    def measure(self) -> None:
        """Runs one round and adds its times."""
        for kind, times in self.ask("round").items():
            self.times.setdefault(kind, []).extend(times)

    def ask(self, word: str) -> dict[str, Any]:
        """Sends a line to the process and returns its answer."""
        assert self.process.stdin is not None
        print(word, file=self.process.stdin, flush=True)
        return _next(self.process)


def main() -> None:
    options = _options()
    worse: dict[str, float] = {}
    with ExitStack() as stack:
        homes = {OURS: HOME}
        if options.beside:
            before = stack.enter_context(worktree(options.beside, packages="test"))
            homes = {options.beside: before, OURS: HOME}
        for database in options.on.split(","):
            print(f"\n{database}, {options.messages} messages", flush=True)
            sides = _measure(database, homes, options)
            _show(sides)
            if len(sides) > 1:
                worse[database] = _compare(sides)
    last = list(worse.values())[:1]
    print(f"ratio {last[0]:.2f}" if last else "ratio 1")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4, help="of each, each round")
    parser.add_argument("--on", default="PostgreSQL,SQLite")
    parser.add_argument("--beside", metavar="COMMIT", default="")
    return parser.parse_args()


def p95(times: list[float]) -> float:
    """Returns the 95th percentile."""
    return sorted(times)[min(len(times) * 95 // 100, len(times) - 1)]


def _median(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


def _measure(
    database: str, homes: dict[str, Path], options: argparse.Namespace
) -> dict[str, Side]:
    with ExitStack() as stack:
        sides = {
            name: stack.enter_context(_started(home, database, options))
            for name, home in homes.items()
        }
        for side in sides.values():
            side.ask("round")  # fills caches: templates, and the database's
        for _ in range(options.rounds):
            for side in sides.values():
                side.measure()
        return sides


@contextmanager
def _started(home: Path, database: str, options: argparse.Namespace) -> Iterator[Side]:
    """Fills a database by one version's code, and serves it with that version."""
    environment = os.environ | {"PYTHONPATH": str(home)}
    # What was migrated for the tests fits this version only.
    copy = migrated.prepared(migrated.CLUSTER) if home == HOME else None
    if home != HOME:
        environment.pop("POSTERN_MIGRATED", None)
    with ExitStack() as stack:
        if database == "PostgreSQL":
            settings = (*HASTY, "shared_buffers=256MB")
            server = stack.enter_context(Postgres(*settings, copy_of=copy))
            environment["POSTERN_DATABASE_URL"] = (
                server.create("bench", template=migrated.TEMPLATE)
                if copy
                else server.url
            )
        else:
            environment.pop("POSTERN_DATABASE_URL", None)
        process = subprocess.Popen(
            [str(home / ".venv/bin/python"), str(SIDE), json.dumps(vars(options))],
            cwd=home,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Side(process, _next(process))
        finally:
            process.communicate()


def _next(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Returns the process's next line of JSON. Commands may print others before it."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise SystemExit("A side could not be measured.")


def _show(sides: dict[str, Side]) -> None:
    for name, side in sides.items():
        for kind, times in side.times.items():
            statements = side.statements.get(kind)
            asked = f", {statements} statements" if statements else ""
            print(
                f"{name}: {kind:28} p50 {_median(times):7.1f} ms,"
                f" p95 {p95(times):7.1f} ms{asked}"
            )
        for kind in ("list: first", "open: a message"):
            large, small = side.times[kind], side.times[f"{kind}, small folder"]
            print(
                f"{name}: {kind}, large folder to small:"
                f" {_median(large) / _median(small):.2f}"
            )
    ours = sides[OURS].statements
    many = [f"{kind} ({count})" for kind, count in ours.items() if count > STATEMENTS]
    print(f"more than {STATEMENTS} statements: {', '.join(many) or 'none'}", flush=True)


def _compare(sides: dict[str, Side]) -> float:
    """Prints the ratios and returns the worse of lists and open messages."""
    before, after = sides.values()
    for kind in after.times:
        was, now = before.times[kind], after.times[kind]
        print(
            f"{kind:28} before to now: p50 {_median(was) / _median(now):.2f},"
            f" p95 {p95(was) / p95(now):.2f}"
        )
    ratios = {}
    for name, kinds in GROUPS.items():
        chosen = [kind for kind in after.times if kind.startswith(kinds)]
        was = [one for kind in chosen for one in before.times[kind]]
        now = [one for kind in chosen for one in after.times[kind]]
        ratios[name] = p95(was) / p95(now)
        print(f"{name}: p95 before to now {ratios[name]:.2f}", flush=True)
    return min(ratios["lists"], ratios["open"])


if __name__ == "__main__":
    main()
