"""Each film: script, timings, captions, chapters and files agree."""

from __future__ import annotations

import re
import subprocess

import pytest
from whitenoise.middleware import WhiteNoiseMiddleware

from portal.guides.bundled import videos

NAMES = videos.names()
MOST_OCTETS = 2 * 1024 * 1024
SLOWEST_READER = 21  # characters a second


def test_captions_are_served_as_captions() -> None:
    served = WhiteNoiseMiddleware(lambda _: None).media_types

    assert served.get_type("film.vtt") == "text/vtt"


def test_the_four_films_are_there() -> None:
    assert NAMES == [
        "getting-started",
        "managing-your-mailbox",
        "using-webmail",
        "using-your-address-book",
    ]


@pytest.mark.parametrize("name", NAMES)
class TestFilm:
    def test_every_scene_was_filmed(self, name: str) -> None:
        film = videos.film(name)

        assert len(videos.recorded_times(name)) == len(film.scenes)
        assert film.scenes[0].begins == 0
        for before, after in zip(film.scenes, film.scenes[1:], strict=False):
            assert before.ends == after.begins

    def test_captions_and_chapters_are_those_of_the_script(self, name: str) -> None:
        film = videos.film(name)

        assert (videos.MEDIA / f"{name}.vtt").read_text() == videos.captions(film)
        chapters = (videos.MEDIA / f"{name}-chapters.vtt").read_text()
        assert chapters == videos.chapter_marks(film)
        assert film.chapters[0] == film.scenes[0]

    def test_captions_stay_long_enough_to_read(self, name: str) -> None:
        for scene in videos.film(name).scenes:
            assert len(scene.says) / (scene.ends - scene.begins) < SLOWEST_READER

    def test_sentences_are_short(self, name: str) -> None:
        for scene in videos.film(name).scenes:
            for sentence in re.split(r"(?<=[.!?:])\s+", scene.says):
                assert len(sentence.split()) <= 25

    def test_the_file_is_small_and_as_long_as_the_captions(self, name: str) -> None:
        path = videos.MEDIA / f"{name}.webm"
        assert path.stat().st_size < MOST_OCTETS

        command = [
            "ffprobe",
            "-v",
            "error",
            "-show_entries",
            "format=duration:stream=codec_name",
        ]
        command += ["-of", "default=nw=1:nk=1", str(path)]
        output = subprocess.run(command, capture_output=True, text=True, check=True)
        codec, length = output.stdout.split()

        assert codec == "vp9"
        assert abs(float(length) - videos.film(name).scenes[-1].ends) < 3
