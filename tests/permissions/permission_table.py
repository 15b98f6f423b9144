"""Reads permissions.txt, and lists the routes of the site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from tests.permissions.visitors import EVERYBODY, GROUPS

FILE = Path(__file__).with_name("permissions.txt")


@dataclass(frozen=True)
class Permission:
    """The visitors that a route admits, and whether the test has a real object for it."""

    admits: frozenset[str]
    has_object: bool = True


def declared() -> dict[str, Permission]:
    """Returns what permissions.txt declares, by route."""
    permissions: dict[str, Permission] = {}
    for line in FILE.read_text().splitlines():
        if line.startswith("["):
            admits = _visitors(line.strip("[]"))
        elif line.startswith("/"):
            path = line.removeprefix("/").removesuffix(" ?")
            assert path not in permissions, f"{path} is listed twice in {FILE.name}"
            permissions[path] = Permission(admits, has_object=not line.endswith(" ?"))
    return permissions


def _visitors(heading: str) -> frozenset[str]:
    named: set[str] = set()
    for name in heading.split():
        assert name in GROUPS or name in EVERYBODY, f"{name} is no visitor"
        named |= GROUPS.get(name, {name})
    return frozenset(named)


def routes() -> list[str]:
    """Returns every route of the site as urls.py spells it."""
    return sorted(set(_walk(get_resolver().url_patterns, "")))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield path
