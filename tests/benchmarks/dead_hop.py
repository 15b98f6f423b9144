"""How long mail to a healthy server takes while a large queue waits for broken ones.

One engine on PostgreSQL, and a Postfix as a member's server. It gets two hundred
messages: first alone, then while 100,000 recipients are due on 20 next hops. Some of
these refuse connections, some send only their banner, some stop responding after DATA.
The last line is the ratio of the 95th percentiles. The output also includes how long
the console's page of destinations takes under that load.

With `--beside COMMIT` that version is measured in the same run, from its own worktree
and environment. `--due 2000 --messages 40` is a quick check.
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

SIDE = Path(__file__).with_name("dead_hop_side.py")


def main() -> None:
    options = _options()
    if options.beside:
        with worktree(options.beside) as home:
            _measure(options.beside, home, options)
    print(f"ratio {_measure('this version', HOME, options):.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--due", type=int, default=100_000, help="recipients")
    parser.add_argument("--hops", type=int, default=20, help="broken next hops")
    parser.add_argument("--messages", type=int, default=200, help="each time")
    parser.add_argument("--every", type=float, default=0.1, help="seconds between them")
    parser.add_argument("--beside", metavar="COMMIT", default="")
    return parser.parse_args()


def _measure(name: str, home: Path, options: argparse.Namespace) -> float:
    """Measures one version on its own database and returns its ratio."""
    wanted = {n: getattr(options, n) for n in ("due", "hops", "messages", "every")}
    # A cluster that was migrated for the tests fits this version only.
    copy = migrated.prepared(migrated.CLUSTER) if home == HOME else None
    with Postgres("jit=off", copy_of=copy) as server:
        url = server.create("bench", template=migrated.TEMPLATE) if copy else server.url
        done = subprocess.run(
            [str(home / ".venv/bin/python"), str(SIDE), json.dumps(wanted)],
            cwd=home,
            env=os.environ | {"PYTHONPATH": str(home), "POSTERN_DATABASE_URL": url},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{name} could not be measured")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for when in ("alone", "beside"):
        times = found[when]
        print(f"{name}, {when}: {_format(times)}, {found['lost_' + when]} not arrived")
    print(
        f"{name}: {found['due']} recipients still due of {wanted['due']} on"
        f" {wanted['hops']} broken hops; the page of destinations took"
        f" {found['page'] * 1000:.0f} ms",
        flush=True,
    )
    return _p95(found["beside"]) / _p95(found["alone"])


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) * 95 // 100, len(times) - 1)]


def _format(times: list[float]) -> str:
    middle = statistics.median(times)
    return f"{middle:7.3f} s median, {_p95(times):7.3f} s at the 95th percentile"


if __name__ == "__main__":
    main()
