"""Prepares the databases and the demo that tests copy, in a new folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.migrated import CLUSTER, DEMO, SQLITE, TEMPLATE
from tests.peers.postern import Postern
from tests.peers.postgres import HASTY, Postgres


def make(folder: Path) -> None:
    """Raises CalledProcessError or PeerError if migrating or starting fails."""
    folder.mkdir()
    with ThreadPoolExecutor() as both:
        for done in [
            both.submit(_make_sqlite, folder),
            both.submit(_make_cluster, folder),
        ]:
            done.result()


def _make_sqlite(folder: Path) -> None:
    _migrate(folder, f"sqlite://{folder / SQLITE}")
    demo = folder / DEMO
    demo.mkdir()
    shutil.copy(folder / SQLITE, demo)
    with Postern(demo) as service:
        service.stop()
        shutil.rmtree(demo)
        shutil.copytree(service.folder, demo)


def _make_cluster(folder: Path) -> None:
    with Postgres(*HASTY) as server:
        _migrate(folder, server.create(TEMPLATE))
        server.stop()
        shutil.copytree(server.data, folder / CLUSTER)


def _migrate(folder: Path, url: str) -> None:
    own = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "POSTERN_ENV": "test",
        "POSTERN_VAR": str(folder / "var"),
        "POSTERN_DATABASE_URL": url,
    }
    subprocess.run(
        [sys.executable, "-m", "tests.migrated.migrating"],
        env=os.environ | own,
        check=True,
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
