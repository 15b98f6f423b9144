"""Plays script commands in a browser, such as `["click", "button", "Send"]`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from portal.demo.recording.temporary_site import TemporarySite

Command = tuple[str, ...]

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--lang=en-GB",
]
OUTLINE = "4px solid #ffcf3f"
TRIES = 60  # a second each


class ScriptError(Exception):
    """Raised for a command that does not exist."""


@contextmanager
def browser() -> Iterator[Browser]:
    """Starts the system's Chromium, or else the one that Playwright installed."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            args=CHROMIUM_FLAGS,
            executable_path=shutil.which("chromium")
            or shutil.which("chromium-headless-shell"),
        )
        yield opened
        opened.close()


@dataclass(slots=True)
class Player:
    """Plays commands on a page. Calls `watch` whenever there is something new to see."""

    page: Page
    site: TemporarySite
    watch: Callable[[], None] = field(default=lambda: None)

    def play(self, command: Command) -> None:
        """Plays one command. Raises ScriptError if it does not exist."""
        verb, *words = command
        known: dict[str, Callable[..., None]] = {
            "open": self._open,
            "sign_in": self.sign_in,
            "fill": self._fill,
            "click": self._click,
            "tick": self._tick,
            "show": self._show,
            "until": self._until,
        }
        if verb not in known:
            raise ScriptError(f"There is no command “{verb}”.")
        known[verb](*words)

    def sign_in(self, who: str) -> None:
        """Signs in as a demo person, by local part, through the sign-in pages."""
        person = self.site.people[who]
        self._open("/account/login/")
        self._fill("Secure email address", person["address"])
        self._fill("Password", person["password"])
        self._click("button", "Sign in")
        if person["totp_secret"]:
            self.page.locator("input[name=code]").fill(_code(person["totp_secret"]))
            self._click("button", "Continue")

    def _open(self, path: str) -> None:
        self.page.goto(self.site.url + path, wait_until="load")
        self.watch()

    def _fill(self, label: str, text: str) -> None:
        box = self.page.get_by_label(label, exact=True).first
        with self._marked(box):
            box.fill(text)
            self.watch()

    def _click(self, role: str, name: str) -> None:
        target = self._found(role, name)
        with self._marked(target):
            self.watch()
        target.click()
        self.page.wait_for_load_state("load")
        self.watch()

    def _tick(self, label: str) -> None:
        box = self.page.get_by_label(label, exact=False).first
        box.check()
        self.watch()

    def _show(self, role: str, name: str) -> None:
        with self._marked(self._found(role, name)):
            self.watch()

    def _until(self, text: str) -> None:
        """Reloads the page until it contains the text, while a background job runs."""
        for _ in range(TRIES):
            if self.page.get_by_text(text).count():
                break
            self.page.wait_for_timeout(1000)
            self.page.reload()
        self.watch()

    def _found(self, role: str, name: str) -> Locator:
        if role == "text":
            return self.page.get_by_text(name).first
        exact = self.page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
        if exact.count():
            return exact.first
        return self.page.get_by_role(role, name=name).first  # type: ignore[arg-type]

    @contextmanager
    def _marked(self, target: Locator) -> Iterator[None]:
        """Draws a frame around an element while it is used."""
        target.scroll_into_view_if_needed()
        target.evaluate(
            "(e, line) => { e.style.outline = line; e.style.outlineOffset = '3px'; }",
            OUTLINE,
        )
        yield
        if target.count():
            target.evaluate("e => { e.style.outline = ''; }")


def _code(secret: str) -> str:
    """Returns the current code of an authenticator app (RFC 6238)."""
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30)))
