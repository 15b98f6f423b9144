from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from portal.ui import asset_collector


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("assets")
    asset_collector.collect(settings.BASE_DIR / "node_modules", target)
    return target


def test_every_address_in_a_stylesheet_is_there(collected: Path) -> None:
    sheets = list(collected.rglob("*.css"))

    assert len(sheets) == 2
    for sheet in sheets:
        for address in re.findall(r"url\(([^)]*)\)", sheet.read_text("utf-8")):
            assert address.startswith("data:") or (sheet.parent / address).is_file()


@pytest.mark.parametrize(
    "word", ["GDS Transport", "@font-face", "sourceMappingURL", "/assets/", "crest.svg"]
)
def test_what_is_not_ours_to_use_is_left_out(collected: Path, word: str) -> None:
    for path in collected.rglob("*.css"):
        assert word not in path.read_text("utf-8")


def test_no_font_and_no_crown_is_copied(collected: Path) -> None:
    names = [path.name for path in collected.rglob("*") if path.is_file()]

    assert not [name for name in names if re.search(r"woff|crown|crest|logotype", name)]


def test_missing_packages_are_told(tmp_path: Path) -> None:
    with pytest.raises(asset_collector.MissingPackagesError, match="npm ci"):
        asset_collector.collect(tmp_path / "node_modules", tmp_path / "assets")
