from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from portal.launcher import entry
from tests.peers.process import open_folder, remove_folder

FILE = """\
# The service
; of the community
POSTERN_ENV=test

POSTERN_COMMUNITY_NAME="Courts and Police"
POSTERN_ALLOWED_HOSTS=["mail.justice.test", "127.0.0.1"]
POSTERN_SECRET_KEY='a key = with $ signs'
POSTERN_SMARTHOST=
"""


def test_the_file_of_settings_is_read_as_systemd_reads_it(tmp_path: Path) -> None:
    assert entry.parsed(FILE, tmp_path) == {
        "POSTERN_ENV": "test",
        "POSTERN_COMMUNITY_NAME": "Courts and Police",
        "POSTERN_ALLOWED_HOSTS": '["mail.justice.test", "127.0.0.1"]',
        "POSTERN_SECRET_KEY": "a key = with $ signs",
        "POSTERN_SMARTHOST": "",
    }


@pytest.mark.parametrize(
    "line",
    [
        "POSTERN_ENV",
        "export POSTERN_ENV=test",
        "POSTERN_ENV = test",
        'POSTERN_SECRET_KEY="open',
        'POSTERN_SECRET_KEY="one"two',
        '"',
        "POSTERN_SECRET_KEY=a\\b",
        "POSTERN_COMMUNITY_NAME=Courts \\",
    ],
)
def test_a_line_that_two_readers_could_read_differently_is_refused(
    tmp_path: Path, line: str
) -> None:
    with pytest.raises(entry.SettingsFileError, match="Line 2 of"):
        entry.parsed(f"POSTERN_ENV=test\n{line}\n", tmp_path)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "postern.env"
    file.write_text("POSTERN_ENV=production\nPOSTERN_WEB_PORT=8000\n")

    found = entry.with_settings(
        {"POSTERN_ENV_FILE": str(file), "POSTERN_WEB_PORT": "9000"}
    )

    assert found["POSTERN_ENV"] == "production"
    assert found["POSTERN_WEB_PORT"] == "9000"


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    missing = str(tmp_path / "postern.env")

    with pytest.raises(entry.SettingsFileError, match="is missing"):
        entry.with_settings({"POSTERN_ENV_FILE": missing})


def test_every_name_is_a_command() -> None:
    names = [*entry.ALIASES, *entry.SUMMARIES]

    commands = {entry.translated([name])[0] for name in names}

    assert commands <= set(get_commands())
    assert all(name in entry.usage() for name in entry.SUMMARIES)


def test_options_are_passed_on_unchanged() -> None:
    assert entry.translated(["found-community", "--local-part", "a-b"]) == [
        "found_community",
        "--local-part",
        "a-b",
    ]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = open_folder()
    yield made
    remove_folder(made)


def postern(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the entry as `postern` does, by this Python."""
    return subprocess.run(
        [sys.executable, "-P", entry.__file__, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


@pytest.mark.slow
def test_the_command_runs_from_anywhere_with_the_file(tmp_path: Path) -> None:
    var = tmp_path / "var"
    file = tmp_path / "postern.env"
    file.write_text(f"POSTERN_ENV=test\nPOSTERN_VAR={var}\n")

    done = postern("health", POSTERN_ENV_FILE=str(file))

    assert '"migrations": "not applied"' in done.stdout, done.stderr
    assert done.returncode == 1
    assert var.is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.slow
def test_root_becomes_the_owner_of_the_state_folder(folder: Path) -> None:
    shutil.chown(folder, "nobody", "nogroup")
    code = f"""
import os
from pathlib import Path
from portal.launcher import entry
entry.become_owner_of(Path({str(folder)!r}), {{}})
Path({str(folder)!r}, "made").touch()
print(os.geteuid(), 0 in os.getgroups())
"""

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (folder / "made").owner() == "nobody"
    assert done.stdout.endswith(" False\n")


def test_a_wrong_file_ends_with_one_line(tmp_path: Path) -> None:
    done = postern("health", POSTERN_ENV_FILE=str(tmp_path / "none"))

    assert done.returncode == 1
    assert (
        done.stderr == f"postern: {tmp_path / 'none'} of POSTERN_ENV_FILE is missing.\n"
    )


def test_the_script_stands_at_the_top_of_a_release() -> None:
    script = Path(settings.BASE_DIR) / "postern"

    assert os.access(script, os.X_OK)
    assert "portal/launcher/entry.py" in script.read_text()
