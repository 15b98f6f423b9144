"""How the browser of the journeys is started: the system's own, and quiet."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from playwright.sync_api import Page, expect

# Opens a page in a context of its own, with the options of Playwright's new_context().
OpenPage = Callable[..., Page]

# Milliseconds, for a slow machine; nothing is measured by it.
expect.set_options(timeout=30_000)

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def launch_options() -> dict[str, object]:
    """For Playwright's launch(). Without a system's own it takes the one it brought.

    Without windows it lays out and paints the same for a third less work.
    """
    own = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    return {"args": QUIET} | ({"executable_path": own} if own else {})
