"""Video guides: one script each, from which captions and transcript are made.

A script is a TOML file with the caption and the actions of each scene. `manage.py
render_videos` records it, and writes the video, its captions and the scenes' times.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).parent.parent / "content" / "videos"
MEDIA = Path(__file__).parent.parent / "static" / "guides" / "videos"


@dataclass(frozen=True, slots=True)
class Scene:
    """One caption and the browser actions during it. Times are in seconds."""

    says: str
    does: tuple[tuple[str, ...], ...]
    chapter: str = ""
    begins: float = 0.0
    ends: float = 0.0

    @property
    def clock(self) -> str:
        """The start as a player shows it, such as "1:05"."""
        minutes, seconds = divmod(int(self.begins), 60)
        return f"{minutes}:{seconds:02}"

    @property
    def second(self) -> int:
        """The start in whole seconds, for a link into the video."""
        return int(self.begins)


@dataclass(frozen=True, slots=True)
class Film:
    """A script with the times of its recording. `who` is the person signed in."""

    name: str
    title: str
    who: str
    scenes: tuple[Scene, ...]

    @property
    def is_recorded(self) -> bool:
        """Whether a recording exists."""
        return self.scenes[-1].ends > 0

    @property
    def chapters(self) -> list[Scene]:
        """The scenes that begin a chapter."""
        return [scene for scene in self.scenes if scene.chapter]

    @property
    def video(self) -> str:
        """The static path of the recording."""
        return f"guides/videos/{self.name}.webm"

    @property
    def captions(self) -> str:
        """The static path of the caption track."""
        return f"guides/videos/{self.name}.vtt"

    @property
    def chapter_track(self) -> str:
        """The static path of the chapter track."""
        return f"guides/videos/{self.name}-chapters.vtt"

    @property
    def poster(self) -> str:
        """The static path of the still image."""
        return f"guides/videos/{self.name}.webp"

    @property
    def length(self) -> str:
        """The length in words, such as "1 minute 5 seconds"."""
        minutes, seconds = divmod(int(self.scenes[-1].ends), 60)
        said = [_counted(minutes, "minute"), _counted(seconds, "second")]
        return " ".join(word for word in said if word)


def names() -> list[str]:
    """Returns the names of all scripts."""
    return sorted(path.stem for path in SCRIPTS.glob("*.toml"))


def choices() -> list[tuple[str, str]]:
    """Returns name and title of all videos, for a form field."""
    return [(name, film(name).title) for name in names()]


@cache
def film(name: str) -> Film:
    """Returns the video of a name. Raises FileNotFoundError where it has no script."""
    script = tomllib.loads((SCRIPTS / f"{name}.toml").read_text(encoding="utf-8"))
    times = recorded_times(name)
    scenes = []
    for number, scene in enumerate(script["scene"]):
        begins, ends = times[number] if number < len(times) else (0.0, 0.0)
        scenes.append(
            Scene(
                says=scene["says"],
                does=tuple(tuple(act) for act in scene.get("does", [])),
                chapter=scene.get("chapter", ""),
                begins=begins,
                ends=ends,
            )
        )
    return Film(name, script["title"], script.get("who", ""), tuple(scenes))


def recorded_times(name: str) -> list[tuple[float, float]]:
    """Returns start and end of each scene in seconds; empty before the first recording."""
    path = MEDIA / f"{name}.json"
    if not path.exists():
        return []
    return [(begins, ends) for begins, ends in json.loads(path.read_text())]


def captions(film: Film) -> str:
    """Returns the captions as WebVTT."""
    return _vtt((scene.begins, scene.ends, scene.says) for scene in film.scenes)


def chapter_marks(film: Film) -> str:
    """Returns the chapters as WebVTT."""
    starts = film.chapters
    ends = [scene.begins for scene in starts[1:]] + [film.scenes[-1].ends]
    return _vtt(
        (scene.begins, end, scene.chapter)
        for scene, end in zip(starts, ends, strict=True)
    )


def _vtt(cues: Iterator[tuple[float, float, str]]) -> str:
    blocks = [
        f"{_timestamp(begins)} --> {_timestamp(ends)}\n{text}\n"
        for begins, ends, text in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _timestamp(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):02}:{rest:06.3f}"


def _counted(number: int, noun: str) -> str:
    return "" if not number else f"{number} {noun}{'' if number == 1 else 's'}"
