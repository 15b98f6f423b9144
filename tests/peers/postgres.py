"""A private PostgreSQL, deleted when its context is left.

`python -m tests.peers.postgres COMMAND...` runs a command with this database in
POSTERN_DATABASE_URL.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psycopg

from tests import migrated
from tests.peers.process import (
    Daemon,
    free_port,
    open_folder,
    process_tree,
    remove_folder,
)

USER = "postgres"
# Tests need no durability, so commits do not wait for the disk; and compiling their
# short statements would take longer than running them.
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off")


class Postgres:
    """One cluster in a temporary folder, on a free port, usually of loopback."""

    def __init__(
        self,
        *settings: str,
        copy_of: Path | None = None,
        host: str = "127.0.0.1",
        inside: Sequence[str] = (),
        networks: Sequence[str] = (),
        keep: Path | None = None,
    ) -> None:
        """`inside` precedes the command, to run it in a network namespace.

        Clients in `networks` are admitted besides those on loopback. `keep` names a
        folder for the data, which stays and is used again next time.
        """
        self.host = host
        self.port = free_port()
        self.folder = open_folder()
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        self.data = keep or self.folder / "data"
        self.url = f"postgres://{USER}@{host}:{self.port}/{USER}"
        self._copy_of = copy_of
        self._inside = list(inside)
        self._networks = networks
        self._settings = settings

    def __enter__(self) -> Self:
        if self.data.exists():
            pass  # kept from an earlier run
        elif self._copy_of is None:
            self._initialise()
        else:
            self._copy(self._copy_of)
        for network in self._networks:
            self._admit(network)
        self.start()
        return self

    def _copy(self, source: Path) -> None:
        shutil.copytree(source, self.data)
        if os.geteuid() == 0:
            for path in (self.data, *self.data.rglob("*")):
                shutil.chown(path, USER)

    def _initialise(self) -> None:
        options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8"]
        subprocess.run(
            [*_as_user(), _program("initdb"), "-D", str(self.data), *options],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )

    def _copy_from(self, primary: Postgres) -> None:
        """Copies a running primary, and follows it from then on."""
        where = ["-h", primary.host, "-p", str(primary.port), "-U", USER]
        subprocess.run(
            [
                *self._inside, *_as_user(), _program("pg_basebackup"), *where,
                "-D", str(self.data), "--write-recovery-conf", "--checkpoint=fast",
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )  # fmt: skip

    def kill(self) -> None:
        """Ends every process immediately, as a power cut does."""
        for pid in reversed(process_tree(self._daemon.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._daemon.stop(signal.SIGKILL)

    def follow(self, primary: Postgres) -> None:
        """Becomes a streaming replica of a running primary, from a new copy of it."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._copy_from(primary)
        self.start()

    def _admit(self, network: str) -> None:
        """Lets everyone in that network connect, for replication too."""
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
            rules.write(f"host replication all {network} trust\n")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def __exit__(self, *_: object) -> None:
        self.stop()
        remove_folder(self.folder)

    def start(self) -> None:
        command = [
            *self._inside, *_as_user(), _program("postgres"), "-D", str(self.data),
            "-c", f"port={self.port}", "-c", f"listen_addresses={self.host}",
            "-c", "unix_socket_directories=", "-c", "max_connections=200",
        ]  # fmt: skip
        for setting in self._settings:
            command += ["-c", setting]
        self._daemon = Daemon(command, self.folder / "server.log")
        self._daemon.wait_for(self._is_ready)

    @property
    def pid(self) -> int:
        """The process that starts all others of the server."""
        return self._daemon.pid

    def stop(self) -> None:
        # SIGINT is the fast shutdown: it ends sessions and loses no data.
        self._daemon.stop(signal.SIGINT)

    def create(self, name: str, *, template: str = "template1") -> str:
        """Creates a database, empty or from a template, and returns its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            command = f'create database "{name}" template "{template}"'
            connection.execute(command.encode())
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        return self.url.removesuffix(USER) + name

    def rename(self, name: str, new: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'alter database "{name}" rename to "{new}"'.encode())

    def databases(self) -> set[str]:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute("select datname from pg_database").fetchall()
        return {name for (name,) in rows}

    def _is_ready(self) -> bool:
        command = [
            _program("pg_isready"),
            "-q",
            "-h",
            self.host,
            "-p",
            str(self.port),
        ]
        return subprocess.run(command, check=False).returncode == 0


def _as_user() -> list[str]:
    # PostgreSQL refuses to run as root. setpriv changes the user without another
    # process.
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"]


def _program(name: str) -> str:
    newest = max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
    return str(newest / "bin" / name)


def main(command: list[str]) -> int:
    with Postgres(*HASTY, copy_of=migrated.prepared(migrated.CLUSTER)) as server:
        env = os.environ | {"POSTERN_DATABASE_URL": server.url}
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
