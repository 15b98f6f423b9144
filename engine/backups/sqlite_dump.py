"""Copies a SQLite database with its online backup API, and lists what it refers to."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from engine.backups.manifest import BackupError
from engine.backups.references import (
    COUNTED,
    MIGRATIONS,
    REFERENCES,
    Reference,
    Snapshot,
)
from engine.database import clock
from engine.secrets import state_folder

FILE = "database.sqlite3"


@contextmanager
def snapshot(folder: Path) -> Iterator[Snapshot]:
    """Copies into `folder`, and yields what the copy refers to. Raises BackupError.

    All pages in one step: in steps, SQLite would begin again after each write of another
    process. Readers and, in WAL mode, writers go on meanwhile.
    """
    taken_at = clock.now()
    path = folder / FILE
    state_folder.create_private_file(path).close()
    with (
        closing(sqlite3.connect(_live(), timeout=60)) as live,
        closing(sqlite3.connect(path)) as copy,
    ):
        live.backup(copy)
        # Without its write-ahead log, the copy is one file.
        copy.execute("PRAGMA journal_mode=DELETE")
        [(answer,)] = copy.execute("PRAGMA quick_check(1)")
        if answer != "ok":
            raise BackupError(f"The database is damaged: {answer}", is_permanent=True)
        counts = {
            table: copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in COUNTED
        }
        yield Snapshot(
            taken_at,
            counts,
            [f"{app}.{name}" for app, name in copy.execute(MIGRATIONS)],
            lambda: (Reference(*row) for row in copy.execute(REFERENCES)),
        )


def restore(folder: Path) -> None:
    """Puts the copy in the place of the configured database, which is empty."""
    connection.close()
    live = Path(_live())
    for suffix in ("-wal", "-shm"):
        live.with_name(live.name + suffix).unlink(missing_ok=True)
    draft = live.with_name(f"{live.name}.restored")
    draft.unlink(missing_ok=True)
    with (
        (folder / FILE).open("rb") as source,
        state_folder.create_private_file(draft) as file,
    ):
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(live)


def _live() -> str:
    return str(connection.settings_dict["NAME"])
