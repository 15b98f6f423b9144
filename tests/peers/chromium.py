"""How tests start the browser: the system's Chromium, without windows."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from playwright.sync_api import Page, expect

# Opens a page in a new context, with the options of Playwright's new_context().
OpenPage = Callable[..., Page]

# Milliseconds, generous for slow machines; no measurement depends on it.
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
    """Returns the options for Playwright's launch().

    Without a system Chromium, Playwright uses its own. Headless mode renders the same
    pages for a third less work.
    """
    own = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    return {"args": QUIET} | ({"executable_path": own} if own else {})
