"""Reads INSTALL.md: its sections, and their blocks of commands and settings."""

from __future__ import annotations

import re
from pathlib import Path

RELEASE = Path(__file__).parents[2]
INSTALL = RELEASE / "INSTALL.md"
# The sections of INSTALL.md with commands.
SECTIONS = ("One host", "Three hosts", "Back up, restore", "Upgrade, roll back")
# A block with one of these downloads.
DOWNLOADS = ("apt-get", ".ci/prepare")


def blocks(section: str, kind: str = "") -> list[str]:
    """Returns the fenced blocks of a section: commands, or those of a kind."""
    part = re.search(
        rf"^## {section}\n(.*?)(?=^## |\Z)",
        INSTALL.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert part is not None, section
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", part[1], re.MULTILINE | re.DOTALL)
    return [text for found, text in fenced if found == kind]


def downloads(block: str) -> bool:
    """Whether a block needs the registries."""
    return any(word in block for word in DOWNLOADS)
