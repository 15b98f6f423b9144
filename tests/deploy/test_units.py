"""The systemd units, by systemd's own analysis: valid, and little exposed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from portal.launcher import entry

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
# In tenths, as --threshold counts: 1.8 of 10, where systemd's own word is OK.
EXPOSURE = 18


def names() -> list[str]:
    return [path.name for path in SERVICES]


def lines(path: Path, section: str) -> dict[str, str]:
    """Returns the settings of a section; repeated ones joined by spaces."""
    found: dict[str, str] = {}
    current = ""
    for line in path.read_text().splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            current = match[1]
        elif current == section and re.match(r"\w+=", line):
            name, _, value = line.partition("=")
            found[name] = f"{found.get(name, '')} {value}".strip()
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the units, the command they run, and the targets they name."""
    made = tmp_path_factory.mktemp("root")
    units = made / "etc/systemd/system"
    units.mkdir(parents=True)
    for path in FOLDER.iterdir():
        if path.suffix in {".service", ".target", ".timer"}:
            shutil.copy(path, units)
    for name in (
        "sysinit",
        "basic",
        "shutdown",
        "network-online",
        "multi-user",
        "timers",
        "time-sync",
        "time-set",
    ):
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    (units / "-.mount").write_text("[Mount]\nWhat=none\nWhere=/\n")
    command = made / "opt/postern/current/postern"
    command.parent.mkdir(parents=True)
    shutil.copy(FOLDER.parents[1] / "postern", command)
    return made


def test_the_units_are_valid(root: Path) -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            f"--root={root}",
            "--man=no",
            "postern.target",
            "postern-backup.timer",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in done.stderr.splitlines() if "postern" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("service", SERVICES, ids=names())
def test_each_service_is_little_exposed(service: Path) -> None:
    done = subprocess.run(
        [
            "systemd-analyze", "security", "--offline=true", "--no-pager",
            f"--threshold={EXPOSURE}", str(service),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Overall exposure level" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout


def test_the_target_wants_every_server() -> None:
    wanted = lines(FOLDER / "postern.target", "Unit")["Wants"].split()

    assert set(wanted) == {
        f"postern-{kind}.service" for kind in ("web", "engine", "worker")
    }


@pytest.mark.parametrize("service", SERVICES, ids=names())
def test_each_service_runs_a_command_of_ours(service: Path) -> None:
    program, command, *_ = lines(service, "Service")["ExecStart"].split()

    assert program == "/opt/postern/current/postern"
    assert entry.translated([command])[0] in get_commands()


def test_only_the_engine_has_a_capability() -> None:
    for service in SERVICES:
        found = lines(service, "Service")
        expected = "CAP_NET_BIND_SERVICE" if "engine" in service.name else ""
        assert found["CapabilityBoundingSet"] == expected
        assert found.get("AmbientCapabilities", "") == expected


def test_user_and_folders_are_the_same_everywhere() -> None:
    users = (FOLDER / "sysusers.conf").read_text()
    folders = (FOLDER / "tmpfiles.conf").read_text()
    for service in SERVICES:
        found = lines(service, "Service")
        home = re.search(rf"^u {found['User']} .* (\S+)$", users, re.MULTILINE)[1]
        # The state folder must not be a home (engine/secrets/state_folder.py).
        assert home != f"/var/lib/{found['StateDirectory']}"
        assert f"z {found['EnvironmentFile']} " in folders
        assert f"d /var/lib/{found['StateDirectory']} " in folders
