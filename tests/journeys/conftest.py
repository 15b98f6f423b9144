"""The service as it is started for a person, real peers around it, and a browser."""

from __future__ import annotations

import base64
import hmac
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError

from tests.peers.chromium import launch_options
from tests.peers.clamd import Clamd
from tests.peers.postern import Postern

TOTP_SECONDS = 30


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    return launch_options()


@pytest.fixture(scope="session")
def clamd() -> Iterator[Clamd]:
    with tempfile.TemporaryDirectory(prefix="clamd-") as folder:
        scanner = Clamd(Path(folder))
        scanner.start()
        yield scanner
        scanner.stop()


@pytest.fixture(scope="session")
def postern(clamd: Clamd) -> Iterator[Postern]:
    with Postern(POSTERN_CLAMD=clamd.socket) as running:
        yield running


class Visitor:
    """Somebody at a browser of their own, who speaks in what the pages say."""

    def __init__(self, context: BrowserContext, postern: Postern) -> None:
        self.page: Page = context.new_page()
        self._postern = postern

    def open(self, path: str) -> None:
        self.page.goto(self._postern.web + path)

    def fill(self, **answers: str) -> None:
        for name, answer in answers.items():
            self.page.fill(f"[name={name}]", answer)

    def choose(self, **answers: str) -> None:
        for name, answer in answers.items():
            self.page.check(f"[name={name}][value={answer}]")

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link).first.click()

    def sees(self, text: str) -> bool:
        """Whether the page says so, or does when it has loaded."""
        try:
            self.page.get_by_text(text).first.wait_for(timeout=10_000)
        except TimeoutError:
            return False
        return True

    def sign_in(self, person: dict[str, str]) -> None:
        """With the password, and the second factor where there is one."""
        self.open("/account/login/")
        self.fill(login=person["address"], password=person["password"])
        self.press("Sign in")
        if person["totp_secret"]:
            self.fill(code=totp(person["totp_secret"]))
            self.press("Continue")


@pytest.fixture
def visitor(browser: Browser, postern: Postern) -> Iterator[Visitor]:
    """A stranger until they sign in."""
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(30_000)
    yield Visitor(context, postern)
    context.close()


def totp(secret: str) -> str:
    """The code that an authenticator app shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // TOTP_SECONDS)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
