"""The parts of recording that need no browser."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from portal.demo.recording import screenshots
from portal.demo.recording.videos import STILL_SECONDS, Reel
from portal.guides.bundled import videos


def png(width: int, height: int, *, noisy: bool) -> bytes:
    data = os.urandom(width * height * 3) if noisy else b"\x10" * width * height * 3
    made = io.BytesIO()
    Image.frombytes("RGB", (width, height), data).save(made, "PNG")
    return made.getvalue()


def test_a_still_stands_until_its_caption_is_read(tmp_path: Path) -> None:
    reel = Reel(tmp_path)
    reel.add(b"first")
    reel.add(b"second")
    reel.hold_until(10)

    assert reel.length == 10
    assert reel.stills[0][1] == STILL_SECONDS


def test_a_still_is_never_cut_short(tmp_path: Path) -> None:
    reel = Reel(tmp_path)
    reel.add(b"first")
    reel.hold_until(0.1)

    assert reel.length == STILL_SECONDS


def test_a_screenshot_becomes_small_whatever_is_on_it() -> None:
    plain = screenshots.small(png(1000, 640, noisy=False))
    busy = screenshots.small(png(200, 200, noisy=True))

    assert len(plain) < screenshots.MOST_OCTETS
    assert len(busy) < screenshots.MOST_OCTETS
    assert Image.open(io.BytesIO(busy)).format == "WEBP"


def test_every_picture_has_a_script_of_its_own() -> None:
    names = [shot.name for shot in screenshots.shots()]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", videos.names())
def test_every_scene_of_a_film_says_something(name: str) -> None:
    assert all(scene.says.strip() for scene in videos.film(name).scenes)
