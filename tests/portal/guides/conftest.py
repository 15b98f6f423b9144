from __future__ import annotations

from pathlib import Path

import pytest

from portal.guides.bundled import guide_files, loader

FACTS = """\
title: {title}
topic: mail
owner: Helpdesk
reviewed: 2026-11-20
words: {words}
related: {related}
summary: How to do it.
---
"""


class GuideFolder:
    """A folder of guides that a test writes and loads into the site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, slug: str, body: str, **facts: str) -> None:
        facts = {"title": slug.capitalize(), "words": "", "related": ""} | facts
        path = self.folder / f"{slug}.txt"
        path.write_text(FACTS.format(**facts) + body)

    def load(self) -> list[str]:
        return loader.load()


@pytest.fixture
def guide_folder(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> GuideFolder:
    monkeypatch.setattr(guide_files, "FOLDER", tmp_path)
    return GuideFolder(tmp_path)
