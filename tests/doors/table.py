"""Reads doors.txt, and the routes that there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from tests.doors.cast import EVERYBODY, WORDS

FILE = Path(__file__).with_name("doors.txt")


@dataclass(frozen=True)
class Door:
    """Who may enter, and whether something real stands behind it."""

    open_to: frozenset[str]
    is_furnished: bool = True


def declared() -> dict[str, Door]:
    """What doors.txt says of each route."""
    doors: dict[str, Door] = {}
    for line in FILE.read_text().splitlines():
        if line.startswith("["):
            who = _audience(line.strip("[]"))
        elif line.startswith("/"):
            path = line.removeprefix("/").removesuffix(" ?")
            assert path not in doors, f"{path} stands twice in {FILE.name}"
            doors[path] = Door(who, is_furnished=not line.endswith(" ?"))
    return doors


def _audience(heading: str) -> frozenset[str]:
    named: set[str] = set()
    for word in heading.split():
        assert word in WORDS or word in EVERYBODY, f"{word} is nobody"
        named |= WORDS.get(word, {word})
    return frozenset(named)


def routes() -> list[str]:
    """Every route of the site as urls.py spells it."""
    return sorted(set(_walk(get_resolver().url_patterns, "")))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield path
