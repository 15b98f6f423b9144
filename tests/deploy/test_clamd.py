"""A real clamd with the configuration that operators install."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.antivirus.scanners import coverage_proof
from engine.antivirus.scanners.clamd import ClamdScanner
from tests.peers.clamd import Clamd
from tests.peers.process import open_folder, remove_folder

FILE = Path(__file__).parents[2] / "deploy" / "clamd.conf"
# The machine's own: user, paths, log, and whether it forks.
PLACES = {
    "DatabaseDirectory", "Foreground", "LocalSocket", "LocalSocketGroup",
    "LogFacility", "LogSyslog", "User",
}  # fmt: skip


def settings() -> list[list[str]]:
    lines = FILE.read_text().splitlines()
    return [line.split(maxsplit=1) for line in lines if line and line[0] != "#"]


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    folder = open_folder()
    made = Clamd(folder)
    own = [f"{name} {value}" for name, value in settings() if name not in PLACES]
    (folder / "clamd.conf").write_text(
        "\n".join(
            [
                "Foreground yes",
                f"LocalSocket {folder}/clamd.socket",
                f"DatabaseDirectory {folder}/database",
                f"TemporaryDirectory {folder}",
                *own,
            ]
        )
        + "\n"
    )
    made.start()
    yield made
    made.stop()
    remove_folder(folder)


@pytest.mark.slow
def test_clamd_takes_every_setting_and_opens_what_it_must(clamd: Clamd) -> None:
    opened = coverage_proof.opened(ClamdScanner(clamd.socket))

    assert set(coverage_proof.BASIC) <= set(opened)
    log = (clamd.folder / "clamd.log").read_text()
    assert "WARNING" not in log, log


def test_no_setting_stands_twice() -> None:
    names = [name for name, _ in settings()]

    assert len(names) == len(set(names))
    assert set(names) >= PLACES
