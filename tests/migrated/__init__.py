"""Migrated databases and a demo community, for tests to copy.

Migrating takes half a minute, loading the demo a quarter, and each worker, cluster and
service would need both. `python -m tests.migrated FOLDER` migrates once on SQLite and
once on PostgreSQL, and starts the service once; tests find the folder in
POSTERN_MIGRATED.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

SQLITE = "postern.sqlite3"
CLUSTER = "postgresql"
# The state folder of a service that was started once.
DEMO = "demo"
# The template database in the migrated cluster.
TEMPLATE = "migrated"


def prepared(name: str) -> Path | None:
    """Returns the path of a prepared copy, or None if none was prepared.

    `name` is that of the SQLite file, the cluster's data or the demo's state.
    """
    folder = os.environ.get("POSTERN_MIGRATED")
    return Path(folder, name) if folder else None


def use_copy(database: dict[str, Any]) -> bool:
    """Makes a test database start as a copy; returns False if there is none to copy."""
    source = prepared(SQLITE)
    if source is None:
        return False
    # Checking that no migration is pending takes longer than a hundred tests.
    database["TEST"]["MIGRATE"] = False
    if database["ENGINE"].endswith("postgresql"):
        database["TEST"]["TEMPLATE"] = TEMPLATE
    else:
        _copy(source, Path(database["TEST"]["NAME"]))
    return True


def _copy(source: Path, target: Path) -> None:
    """Copies without the write-ahead log, which would be another file's."""
    target.with_name(f"{target.name}-wal").unlink(missing_ok=True)
    shutil.copyfile(source, target)
