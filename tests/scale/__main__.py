"""Starts the cluster, and measures in a process whose settings name it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tests import migrated
from tests.benchmarks.worktrees import HOME
from tests.peers.postgres import HASTY, Postgres

SMALL = {"organisations": 40, "people": 1_000, "messages": 2_000, "rounds": 1}
# As an operator of this size would set them; PostgreSQL's defaults are for a test machine.
SETTINGS = ("shared_buffers=1GB", "max_wal_size=8GB")


def main() -> int:
    options = _options()
    keep = Path(options.keep).resolve() if options.keep else None
    copy = migrated.prepared(migrated.CLUSTER)
    with Postgres(*HASTY, *SETTINGS, copy_of=copy, keep=keep) as server:
        name = f"scale_{options.organisations}_{options.people}_{options.messages}"
        if name not in server.databases():
            template = migrated.TEMPLATE if copy else "template1"
            filling = server.create("filling", template=template)
            if failed := _run("tests.scale.community", filling, options):
                return failed
            server.rename("filling", name)
        return _run(f"tests.scale.{options.what}", server.url_of(name), options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=478_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20, help="requests of each page")
    parser.add_argument("--only", default="", help="pages whose URL contains this")
    parser.add_argument(
        "--keep", default="", help="the cluster's folder, for next time"
    )
    parser.add_argument("--small", action="store_true", help="a quick check")
    parser.add_argument("--lists", action="store_true", help="only pages of lists")
    parser.add_argument("what", nargs="?", default="pages", choices=["pages", "starts"])
    options = parser.parse_args()
    if options.small:
        vars(options).update(SMALL)
    return options


def _run(module: str, url: str, options: argparse.Namespace) -> int:
    return subprocess.run(
        [sys.executable, "-m", module, json.dumps(vars(options))],
        cwd=HOME,
        env=os.environ | {"POSTERN_DATABASE_URL": url},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
