"""INSTALL.md names commands, files and settings that exist.

`python -m tests.deploy.install` follows it word by word.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from portal.configuration.environment import Environment
from portal.launcher import entry
from tests.deploy import guide

RELEASE = Path(__file__).parents[2]
TEXT = (RELEASE / "INSTALL.md").read_text()
COMMANDS = "\n".join(
    block for section in guide.SECTIONS for block in guide.blocks(section)
)


def test_it_is_one_page() -> None:
    assert len(TEXT.splitlines()) <= 200


def test_every_command_of_postern_exists() -> None:
    named = re.findall(r"(?:^|/)postern ([a-z][a-z-]+)", COMMANDS, re.MULTILINE)

    assert named
    assert {entry.translated([name])[0] for name in named} <= set(get_commands())


def test_every_file_of_a_release_exists() -> None:
    named = re.findall(r"/opt/postern/(?:current|releases/[\d.]+)/([\w./-]+)", COMMANDS)
    named += re.findall(r"(?<![\w/])(deploy/[\w./-]+\w)", TEXT)
    named += [
        f"deploy/{name}"
        for name in re.findall(r"(?<![\w/])systemd/[\w.]+conf", COMMANDS)
    ]

    missing = [
        name
        for name in named
        if not name.startswith(".venv/") and not (RELEASE / name).exists()
    ]
    assert missing == []


def test_every_variable_exists() -> None:
    fields = {f"POSTERN_{name}".upper() for name in Environment.model_fields}

    assert set(re.findall(r"\bPOSTERN_[A-Z0-9_]*[A-Z0-9]\b", TEXT)) <= fields


@pytest.mark.parametrize("section", guide.SECTIONS)
def test_the_drill_finds_every_section(section: str) -> None:
    assert guide.blocks(section)


def test_the_drill_follows_every_section() -> None:
    sections = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)

    assert tuple(sections) == guide.SECTIONS
