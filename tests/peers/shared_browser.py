"""The browser of this process, which test files use one after another."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.peers.chromium import launch_options


class _Running:
    """A browser, what ends it, and the file that used it last."""

    def __init__(self) -> None:
        self.ends = ExitStack()
        patch = self.ends.enter_context(pytest.MonkeyPatch.context())
        # Playwright's loop runs in this thread, where the tests use the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        playwright = self.ends.enter_context(sync_playwright())
        self.browser: Browser = playwright.chromium.launch(**launch_options())
        self.ends.callback(self.browser.close)
        self.file = Path()


_running: list[_Running] = []


def of(file: Path) -> Browser:
    """Returns the browser for a test of that file, and starts it if none runs."""
    if _running and not _running[0].browser.is_connected():
        end()
    if not _running:
        _running.append(_Running())
    _running[0].file = file
    return _running[0].browser


def leave(file: Path) -> None:
    """Ends the browser before a test of another file, which may run a loop of its own.

    No coroutine can run while Playwright's loop does.
    """
    if _running and _running[0].file != file:
        end()


def end() -> None:
    """Ends the browser, if one runs."""
    while _running:
        _running.pop().ends.close()
