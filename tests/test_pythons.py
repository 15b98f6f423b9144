"""Which Pythons Postern supports: README, build and lock files agree."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOWEST, HIGHEST = 11, 14
VERSIONS = [f"3.{minor}" for minor in range(LOWEST, HIGHEST + 1)]
LOCKS = {
    "requirements.lock": ["requirements.txt"],
    "requirements-test.lock": ["requirements.txt", "requirements-test.txt"],
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder where the distribution installs its own Pythons."""
    return _folder(tmp_path / "own")


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """Another folder on the shell's search path."""
    return _folder(tmp_path / "others")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _install(folder: Path, name: str, version: str) -> str:
    """Installs a stand-in that only prints a Python version."""
    program = folder / name
    major, minor, micro = version.split(".")
    program.write_text(f"#!/bin/sh\necho {major}.{minor} {micro}\n")
    program.chmod(0o755)
    return str(program)


def _find(own: Path, others: Path, **environ: str) -> subprocess.CompletedProcess:
    # The script under test needs Bash and env, and must not find this machine's own
    # Pythons.
    tools = _folder(own.parent / "tools")
    for name in ("bash", "env"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    return subprocess.run(
        [ROOT / ".ci/find-python", own],
        env={"PATH": f"{others}{os.pathsep}{tools}", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_distributions_own_python_will_do(
    version: str, own: Path, others: Path
) -> None:
    program = _install(own, "python3", f"{version}.0")
    _install(others, "python3.13", "3.13.99")

    assert _find(own, others).stdout.strip() == program


@pytest.mark.parametrize("version", VERSIONS)
def test_a_python_found_by_its_name_will_do(
    version: str, own: Path, others: Path
) -> None:
    _install(own, "python3", "3.10.12")
    program = _install(others, f"python{version}", f"{version}.99")

    assert _find(own, others).stdout.strip() == program


def test_the_distributions_other_python_comes_before_anybody_elses(
    own: Path, others: Path
) -> None:
    _install(own, "python3", "3.10.12")
    program = _install(own, "python3.12", "3.12.3")
    _install(others, "python3.14", "3.14.99")

    assert _find(own, others).stdout.strip() == program


def test_a_build_with_known_faults_is_the_last_resort(own: Path, others: Path) -> None:
    faulty = _install(others, "python3.13", "3.13.0")
    assert _find(own, others).stdout.strip() == faulty


def test_an_older_build_without_known_faults_is_preferred(
    own: Path, others: Path
) -> None:
    _install(others, "python3.13", "3.13.0")
    sound = _install(others, "python3.11", "3.11.14")

    assert _find(own, others).stdout.strip() == sound


def test_one_that_is_named_comes_before_all_others(own: Path, others: Path) -> None:
    _install(own, "python3", "3.13.5")
    named = _install(others, "mine", "3.12.1")

    assert _find(own, others, PYTHON=named).stdout.strip() == named


@pytest.mark.parametrize("version", ["2.7.18", "3.10.19", "3.15.0", "4.11.0"])
def test_no_other_version_will_do(version: str, own: Path, others: Path) -> None:
    program = _install(own, "python3", version)
    _install(others, "python3", version)

    found = _find(own, others)
    assert (found.returncode, found.stdout) == (1, "")
    named = subprocess.run(
        [ROOT / ".ci/find-python"],
        env={**os.environ, "PYTHON": program},
        capture_output=True,
        text=True,
        check=False,
    )
    assert named.returncode == 1
    assert f"PYTHON={program} is no Python 3.11 to 3.14." in named.stderr


def test_readme_and_configuration_name_the_same_versions() -> None:
    readme = (ROOT / "README.md").read_text()
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    accepted = re.findall(r"\[(3\.\d+)\]=", (ROOT / ".ci/find-python").read_text())

    assert sorted(accepted) == VERSIONS
    assert f"Python 3.{LOWEST} to 3.{HIGHEST}" in " ".join(readme.split())
    assert tools["ruff"]["target-version"] == f"py3{LOWEST}"
    assert tools["mypy"]["python_version"] == f"3.{LOWEST}"
    assert f"--python-version 3.{LOWEST} " in (ROOT / ".ci/lock").read_text()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_once_for_each_version(lock: str, version: str) -> None:
    pins = _pins(lock, version)
    wanted = {
        canonicalize_name(requirement.name): str(requirement.specifier)
        for source in LOCKS[lock]
        for requirement in _requirements(source)
        if requirement.marker is None
        or requirement.marker.evaluate({"python_version": version})
    }

    assert [name for name, found in pins.items() if len(found) != 1] == []
    assert {name: pins[name][0] for name in wanted} == wanted


def _pins(lock: str, version: str) -> dict[str, list[str]]:
    """Returns the packages that a lock installs on that Python, on Linux."""
    environment = {
        "python_version": version,
        "python_full_version": f"{version}.99",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
    }
    pins = defaultdict(list)
    for requirement in _requirements(lock):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            pins[canonicalize_name(requirement.name)].append(str(requirement.specifier))
    return pins


def _requirements(source: str) -> list[Requirement]:
    lines = (ROOT / source).read_text().splitlines()
    return [
        Requirement(re.split(r"\s+#|\s*\\$", line)[0])
        for line in lines
        if re.match(r"[a-zA-Z0-9]", line)
    ]
