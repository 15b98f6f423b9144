"""What adding one person costs each process of the engine.

The engine runs in two processes on PostgreSQL, with 478,000 people and 10,000
organisations, while two persistent connections send mail to hosted mailboxes. People
are added one at a time by the registry's verb; then a worker imports a file of 5,000.
Processor time is that of following the registry, minus its cost in a span without
changes. The last line is the ratio to the other version if `--beside COMMIT` measures
one, from its own worktree and environment; otherwise the seconds.

`--small` is a quick check.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import migrated
from tests.benchmarks.worktrees import HOME, worktree
from tests.peers.postgres import Postgres

SIDE = Path(__file__).with_name("registry_change_side.py")
SMALL = {
    "people": 2_000,
    "organisations": 50,
    "changes": 2,
    "imported": 20,
    "pause": 2.0,
    "warm_up": 1.0,
    "after": 2.0,
}
MEGA = 1024 * 1024


def main() -> None:
    options = _options()
    before = 0.0
    if options.beside:
        with worktree(options.beside) as home:
            before = _measure(options.beside, home, _fewer(options))
    now = _measure("this version", HOME, options)
    print(f"ratio {before / now:.0f}" if before else f"ratio 1, {now:.4f} s a change")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=478_000)
    parser.add_argument("--organisations", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--pause", type=float, default=8.0, help="seconds between them")
    parser.add_argument("--after", type=float, default=15.0, help="seconds after them")
    parser.add_argument("--warm-up", type=float, default=15.0, help="seconds")
    parser.add_argument("--every", type=float, default=0.1, help="seconds: a message")
    parser.add_argument("--imported", type=int, default=5_000, help="people")
    parser.add_argument("--processes", type=int, default=2, help="of the engine")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--beside", metavar="COMMIT", default="")
    options = parser.parse_args()
    if options.small:
        vars(options).update(SMALL)
    return options


def _fewer(options: argparse.Namespace) -> argparse.Namespace:
    """Returns options for a version that reloads: fewer changes, no import."""
    given = vars(options)
    changes = max(2, options.changes // 5)
    return argparse.Namespace(
        **given | {"changes": changes, "pause": 3 * options.pause, "imported": 0}
    )


def _measure(name: str, home: Path, options: argparse.Namespace) -> float:
    """Measures one version on its own database; returns seconds for a change."""
    # A cluster that was migrated for the tests fits this version only.
    copy = migrated.prepared(migrated.CLUSTER) if home == HOME else None
    with Postgres("jit=off", copy_of=copy) as server:
        url = server.create("bench", template=migrated.TEMPLATE) if copy else server.url
        done = subprocess.run(
            [str(home / ".venv/bin/python"), str(SIDE), json.dumps(vars(options))],
            cwd=home,
            env=os.environ | {"PYTHONPATH": str(home), "POSTERN_DATABASE_URL": url},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{name} could not be measured")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for number in range(len(found["idle"])):
        _show(f"{name}, process {number + 1}", found, number, options.changes)
    quiet, changing = found["quiet"], found["beside_changes"]
    print(f"{name}: mail alone {_format(quiet)}; beside changes {_format(changing)}")
    if found["beside_import"]:
        slower = _p95(found["beside_import"]) / _p95(quiet)
        print(
            f"{name}: beside the import of {options.imported} people, which took"
            f" {found['import_seconds']:.0f} s, {_format(found['beside_import'])},"
            f" {slower:.2f} times as long"
        )
    sys.stdout.flush()
    return max(
        _each(found, number, options.changes) for number in range(len(found["idle"]))
    )


def _show(name: str, found: dict[str, Any], number: int, changes: int) -> None:
    idle, changing = found["idle"][number], found["changing"][number]
    importing = found["importing"][number]
    grown = (changing["memory"][1] - changing["memory"][0]) / MEGA
    print(
        f"{name}: {_each(found, number, changes) * 1000:.1f} ms of processor time a"
        f" change ({changing['process'] / changing['seconds']:.3f} s a second in all,"
        f" {idle['process'] / idle['seconds']:.3f} without changes); loop late by"
        f" {changing['late'] * 1000:.1f} ms in 1 of 100, {changing['latest'] * 1000:.1f} ms"
        f" at most ({idle['late'] * 1000:.1f} and {idle['latest'] * 1000:.1f} without);"
        f" {changing['memory'][1] / MEGA:.0f} MB, {grown:+.1f} MB in {changes} changes;"
        f" beside the import late by {importing['late'] * 1000:.1f} ms in 1 of 100"
    )


def _each(found: dict[str, Any], number: int, changes: int) -> float:
    """Returns the seconds of following the registry that one change costs a process."""
    idle, changing = found["idle"][number], found["changing"][number]
    baseline = idle["following"] / idle["seconds"] * changing["seconds"]
    return max((changing["following"] - baseline) / changes, 1e-5)


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) * 95 // 100, len(times) - 1)]


def _format(times: list[float]) -> str:
    middle = statistics.median(times)
    late = _p95(times)
    return f"{middle * 1000:.0f} ms median, {late * 1000:.0f} ms at the 95th percentile"


if __name__ == "__main__":
    main()
