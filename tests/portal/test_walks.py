"""Every screen is part of a walk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from tests.portal import walks

# Wagtail's own screens, and responses for programs.
OTHERS = ("wagtail.", "drf_spectacular.", "api.")


def paths() -> Iterator[str]:
    """Returns the path of every view of ours without arguments."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
        for pattern in patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            elif not pattern.callback.__module__.startswith(OTHERS):
                yield path

    for path in walk(get_resolver().url_patterns, "/"):
        if not set(path) & set("<(^"):
            yield path


def test_every_screen_without_arguments_is_looked_at() -> None:
    seen = {path for walk in walks.WALKS for path in walk}
    known = seen | walks.REACHED_BY_HAND.keys() | walks.NOT_SCREENS.keys()

    assert sorted(set(paths()) - known) == []


def test_no_walk_names_a_screen_that_is_gone() -> None:
    assert walks.REACHED_BY_HAND.keys() | walks.NOT_SCREENS.keys() <= set(paths())
    for file in walks.REACHED_BY_HAND.values():
        assert (Path(settings.BASE_DIR) / file).exists()
