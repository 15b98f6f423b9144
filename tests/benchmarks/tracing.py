"""How long an administrator waits for a page of the organisation's message trace.

A million messages on PostgreSQL: one organisation sent a fifth of them and received
another fifth, a person elsewhere got a tenth, and a hundred thousand were refused. Whole
pages are requested as a signed-in browser does. `--beside COMMIT` measures that version
on its own database, from its own worktree and environment; the last line is the 95th
percentile of its pages divided by ours, over the searches that both have. Without it the
last line has ours alone. Other work on the machine does not lengthen the processor time, of
the page and of the database's process for it.

`--small` is a quick check.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tests import migrated
from tests.benchmarks.worktrees import HOME, worktree
from tests.peers.postgres import HASTY, Postgres

SIDE = Path(__file__).with_name("tracing_side.py")
OURS = "this version"
TARGET = 50.0  # milliseconds at the 95th percentile, of every page

Times = dict[str, list[float]]


def main() -> None:
    options = _options()
    theirs: Times = {}
    if options.beside:
        with worktree(options.beside, packages="test") as home:
            theirs = _measure(options.beside, home, options)
    ours = _measure(OURS, HOME, options)
    late = [name for name, times in ours.items() if p95(times) > TARGET]
    print(f"over {TARGET:.0f} ms: {', '.join(late) or 'none'}")
    now = p95([one for times in ours.values() for one in times])
    print(f"p95 of all pages {now:.1f} ms")
    if theirs:
        shared = ours.keys() & theirs.keys()
        before, after = (
            p95([one for name in shared for one in times[name]])
            for times in (theirs, ours)
        )
        print(f"ratio {before / after:.2f}")
    else:
        print(f"ratio 1, p95 {now:.1f} ms")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20, help="requests of each page")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--beside", metavar="COMMIT", default="")
    options = parser.parse_args()
    if options.small:
        options.messages, options.rounds = 2_000, 1
    return options


def p95(times: list[float]) -> float:
    """Returns the 95th percentile."""
    return sorted(times)[min(len(times) * 95 // 100, len(times) - 1)]


def _measure(name: str, home: Path, options: argparse.Namespace) -> Times:
    """Measures one version on its own database; returns milliseconds by page."""
    # A cluster that was migrated for the tests fits this version only.
    copy = migrated.prepared(migrated.CLUSTER) if home == HOME else None
    with Postgres(*HASTY, "shared_buffers=512MB", copy_of=copy) as server:
        url = server.create("bench", template=migrated.TEMPLATE) if copy else server.url
        environment = os.environ | {
            "PYTHONPATH": str(home),
            "POSTERN_DATABASE_URL": url,
        }
        if home != HOME:
            environment.pop("POSTERN_MIGRATED", None)
        done = subprocess.run(
            [str(home / ".venv/bin/python"), str(SIDE), json.dumps(vars(options))],
            cwd=home,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{name} could not be measured")
    found = json.loads(done.stdout.splitlines()[-1])
    for page, measured in found.items():
        times = sorted(measured["times"])
        print(
            f"{name}: {page:34} p50 {times[len(times) // 2]:7.1f} ms,"
            f" p95 {p95(times):7.1f} ms, processor {measured['processor']:7.1f} ms",
            flush=True,
        )
    return {page: measured["times"] for page, measured in found.items()}


if __name__ == "__main__":
    main()
