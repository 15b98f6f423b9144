"""Dumps PostgreSQL with pg_dump, and lists what the dump refers to in the same snapshot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import pq

from engine.backups.manifest import BackupError
from engine.backups.references import (
    COUNTED,
    MIGRATIONS,
    REFERENCES,
    Reference,
    Snapshot,
)

# Debian keeps the programs of each major version apart.
DEBIAN = Path("/usr/lib/postgresql")
FOLDER = "database.dump"
JOBS = 2  # tables dumped at the same time
FETCH = 2_000  # rows of the list of blobs
# The fastest level: bodies are bounded by the disk, and a backup must not starve the
# service of processor time.
COMPRESSION = 1
ERROR_LENGTH = 400


@contextmanager
def snapshot(folder: Path) -> Iterator[Snapshot]:
    """Dumps into `folder`, and yields what the dump refers to. Raises BackupError.

    pg_dump joins the snapshot of the transaction that lists the blobs. That one stays
    open meanwhile, so that a long backup holds back VACUUM, as any long pg_dump does.
    """
    with psycopg.connect(**parameters()) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.read_only = True
        cursor = reader.execute("SELECT pg_export_snapshot(), clock_timestamp()")
        [(name, taken_at)] = cursor.fetchall()
        _run(
            "pg_dump",
            "--format=directory",
            f"--jobs={JOBS}",
            f"--compress={COMPRESSION}",
            f"--snapshot={name}",
            "--no-owner",
            "--no-privileges",
            f"--file={folder / FOLDER}",
        )
        counts = {
            table: _value(reader, f"SELECT count(*) FROM {table}")  # noqa: S608
            for table in COUNTED
        }
        applied = [f"{app}.{name}" for app, name in reader.execute(MIGRATIONS)]
        yield Snapshot(taken_at, counts, applied, lambda: _references(reader))


def restore(folder: Path) -> None:
    """Loads a dump into the configured database, which is empty. Raises BackupError."""
    _run(
        "pg_restore",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        f"--jobs={JOBS}",
        f"--dbname={_conninfo()}",
        str(folder / FOLDER),
        is_dbname_given=True,
    )


def _references(reader: psycopg.Connection[Any]) -> Iterator[Reference]:
    with reader.cursor(name="postern_blobs") as cursor:
        cursor.itersize = FETCH
        cursor.execute(REFERENCES)
        for row in cursor:
            yield Reference(*row)


def _value(reader: psycopg.Connection[Any], statement: str) -> int:
    [(value,)] = reader.execute(statement.encode()).fetchall()
    return int(value)


def parameters() -> dict[str, Any]:
    """Returns what libpq needs to connect as the service does, with more patience.

    TCP_USER_TIMEOUT also ends a connection whose other end lives and reads nothing for as
    long: a dump whose disk stalls, or a server that loads one (Linux 6.18).
    """
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    given = connection.get_connection_params()
    found = {
        name: value
        for name, value in given.items()
        if name in known and name != "client_encoding"
    }
    options = f"{found.get('options', '')} -c tcp_user_timeout=0".lstrip()
    return {**found, "options": options, "tcp_user_timeout": "0"}


def _conninfo() -> str:
    # Without the password: other users of the host see the command line.
    shown = parameters()
    shown.pop("password", None)
    return psycopg.conninfo.make_conninfo(**shown)


def _run(name: str, *arguments: str, is_dbname_given: bool = False) -> None:
    environment = dict(os.environ)
    if password := parameters().get("password"):
        environment["PGPASSWORD"] = password
    command = [program(name), *arguments]
    if not is_dbname_given:
        command.append(f"--dbname={_conninfo()}")
    done = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip()[:ERROR_LENGTH] or f"exit code {done.returncode}"
        raise BackupError(f"{name}: {said}", is_permanent=_is_permanent(said))


def program(name: str) -> str:
    """Returns the newest pg_dump or pg_restore: it reads every older server."""
    found = [path for path in DEBIAN.glob(f"*/bin/{name}") if path.exists()]
    if found:
        newest = max(found, key=lambda path: float(path.parts[-3]))
        return str(newest)
    if path := shutil.which(name):
        return path
    raise BackupError(
        f"{name} is not installed. Install PostgreSQL's client programs, of the server's "
        "version or later.",
        is_permanent=True,
    )


def _is_permanent(said: str) -> bool:
    """Whether it fails again unless an operator acts: rights, versions, a full disk."""
    passing = ("could not connect", "connection to server", "terminating connection")
    return not any(text in said for text in passing)
