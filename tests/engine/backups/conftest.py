from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.peers.engine import database_url


@dataclass(frozen=True)
class Host:
    """Another host with a database and a state folder of its own, both empty."""

    var: Path
    url: str

    def run(self, *arguments: str, **over: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of manage.py there, with other settings where they are given."""
        process = self.start(*arguments, **over)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(
            process.args, process.returncode, stdout, stderr
        )

    def start(self, *arguments: str, **over: str) -> subprocess.Popen[str]:
        """Starts a command of manage.py there."""
        own = {
            "POSTERN_ENV": "test",
            "POSTERN_VAR": str(self.var),
            "POSTERN_DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ | own | over,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Returns what a statement finds in its database."""
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite://"))) as live:
                return live.execute(statement).fetchall()
        with psycopg.connect(self.url, autocommit=True) as live:
            return live.execute(statement.encode()).fetchall()


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder without the blobs of other tests."""
    monkeypatch.setattr(settings.POSTERN, "var", tmp_path / "var")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """An empty host."""
    var = tmp_path / "other-host"
    if connection.vendor == "sqlite":
        yield Host(var, f"sqlite://{tmp_path / 'other.sqlite3'}")
        return
    name = f"restored_{tmp_path.name.replace('-', '_')}_{os.getpid()}"[:60].lower()
    own = database_url()
    base = own.rpartition("/")[0]
    with psycopg.connect(own, autocommit=True) as live:
        live.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
    yield Host(var, f"{base}/{name}")
    with psycopg.connect(own, autocommit=True) as live:
        live.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
