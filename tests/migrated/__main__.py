"""Makes the databases that tests start from, in a folder that is not there yet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.migrated import CLUSTER, SQLITE, TEMPLATE
from tests.peers.postgres import HASTY, Postgres


def make(folder: Path) -> None:
    """Raises CalledProcessError where a migration fails."""
    folder.mkdir()
    _migrate(folder, f"sqlite://{folder / SQLITE}")
    with Postgres(*HASTY) as server:
        _migrate(folder, server.create(TEMPLATE))
        server.stop()
        shutil.copytree(server.data, folder / CLUSTER)


def _migrate(folder: Path, url: str) -> None:
    own = {
        "POSTERN_ENV": "test",
        "POSTERN_VAR": str(folder / "var"),
        "POSTERN_DATABASE_URL": url,
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0"],
        env=os.environ | own,
        check=True,
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
