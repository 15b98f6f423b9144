"""Databases that are migrated already, and a demo community, for tests to copy.

Migrating takes half a minute, the demo a quarter, and each worker, cluster and service
would need it for itself. `python -m tests.migrated FOLDER` migrates once on SQLite and once
on PostgreSQL, and starts the service once; tests find the folder in POSTERN_MIGRATED.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

SQLITE = "postern.sqlite3"
CLUSTER = "postgresql"
# The folder of state of a service that was started once.
DEMO = "demo"
# The database in that cluster which others are made from.
TEMPLATE = "migrated"


def made(name: str) -> Path | None:
    """The SQLite file, the data of the cluster or the demo's state, where one was made."""
    folder = os.environ.get("POSTERN_MIGRATED")
    return Path(folder, name) if folder else None


def lend(database: dict[str, Any]) -> bool:
    """Have a test database start as a copy. False where there is nothing to copy."""
    source = made(SQLITE)
    if source is None:
        return False
    # To find that nothing is left to migrate takes longer than to run a hundred tests.
    database["TEST"]["MIGRATE"] = False
    if database["ENGINE"].endswith("postgresql"):
        database["TEST"]["TEMPLATE"] = TEMPLATE
    else:
        _copy(source, Path(database["TEST"]["NAME"]))
    return True


def _copy(source: Path, target: Path) -> None:
    """Without the log of a run that was killed: its pages belong to another file."""
    target.with_name(f"{target.name}-wal").unlink(missing_ok=True)
    shutil.copyfile(source, target)
