"""Somebody at a browser, who knows of the service only what its pages say."""

from __future__ import annotations

import base64
import hmac
import struct
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, TimeoutError

from tests.peers.postern import Postern

TOTP_SECONDS = 30
PATIENCE = 30_000  # milliseconds
A_MOMENT = 60  # seconds
Person = dict[str, str]


class Visitor:
    """At a browser of their own. Pages are used by the words on them."""

    def __init__(self, context: BrowserContext, postern: Postern) -> None:
        context.set_default_timeout(PATIENCE)
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

    def tick(self, *names: str) -> None:
        for name in names:
            self.page.check(f"[name={name}]")

    def pick(self, **answers: str) -> None:
        """From a list of choices, by the words of the choice."""
        for name, answer in answers.items():
            self.page.select_option(f"[name={name}]", label=answer)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link).first.click()

    def download(self, link: str) -> bytes:
        """By keyboard, as part of the link's name may be for screen readers alone."""
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=link).first.press("Enter")
        return Path(download.value.path()).read_bytes()

    def sees(self, text: str) -> bool:
        """Whether the page says so, or does when it has loaded."""
        try:
            self.page.get_by_text(text).first.wait_for(timeout=10_000)
        except TimeoutError:
            return False
        return True

    def finds(self, path: str, text: str) -> bool:
        """Whether the page says so when it is opened again, as one does who waits."""
        self.open(path)
        return text in self.page.inner_text("body")

    def write(self, *, to: str, subject: str, text: str) -> None:
        """A new message, not yet sent."""
        self.open("/mail/write/")
        self.fill(to=to, subject=subject, text=text)

    def send(self) -> None:
        """Send what is written, whatever the page would have the writer look at again."""
        again = self.page.get_by_role("button", name="Send anyway", exact=True)
        # Of the next page: this one may still say that the message before was sent.
        with self.page.expect_navigation():
            self.press("Send")
        if again.is_visible():
            with self.page.expect_navigation():
                again.click()
        self.page.get_by_text("Message sent").first.wait_for()

    def sign_in(self, person: Person) -> None:
        """With the password, and the second factor where there is one."""
        self.open("/account/login/")
        self.fill(login=person["address"], password=person["password"])
        self.press("Sign in")
        if person["totp_secret"]:
            self.fill(code=totp(person["totp_secret"]))
            self.press("Continue")
        self.page.wait_for_url(lambda url: "login" not in url and "auth" not in url)


class Visits:
    """Opens browsers for people. Who signed in a moment ago need not again: a code is
    good for once only. Later they do, as some pages ask who signed in a while ago."""

    def __init__(self, browser: Browser, postern: Postern) -> None:
        self._browser = browser
        self._postern = postern
        self._contexts: list[BrowserContext] = []
        self._kept: dict[str, tuple[float, Any]] = {}

    def __call__(self, person: Person | None = None, **options: Any) -> Visitor:
        """A stranger, or the person, signed in."""
        kept = self._kept_of(person)
        context = self._browser.new_context(
            accept_downloads=True, locale="en-GB", storage_state=kept, **options
        )
        self._contexts.append(context)
        visitor = Visitor(context, self._postern)
        if person and kept is None:
            visitor.sign_in(person)
            self._kept[person["address"]] = time.monotonic(), context.storage_state()
        return visitor

    def _kept_of(self, person: Person | None) -> Any:
        """What the browser of somebody holds who signed in a moment ago."""
        at, state = self._kept.get(person["address"] if person else "", (0.0, None))
        return state if time.monotonic() - at < A_MOMENT else None

    def seen(self) -> str:
        """What every open page says, to show why a journey failed."""
        pages = [page for context in self._contexts for page in context.pages]
        return "\n\n".join(f"{page.url}\n{_text(page)}" for page in pages)

    def end(self) -> None:
        while self._contexts:
            self._contexts.pop().close()


def totp(secret: str) -> str:
    """The code that an authenticator app shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // TOTP_SECONDS)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def _text(page: Page) -> str:
    try:
        return page.inner_text("body", timeout=2_000)[:4_000]
    except Error as error:
        return str(error)
