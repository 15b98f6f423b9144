"""A visitor in a browser, who finds things by the words on the pages alone."""

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
    """One browser and its page. Buttons and links are found by their names."""

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
        """Selects options of select elements by their labels."""
        for name, answer in answers.items():
            self.page.select_option(f"[name={name}]", label=answer)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link).first.click()

    def download(self, link: str) -> bytes:
        """Follows a link by keyboard: its text may be for screen readers."""
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=link).first.press("Enter")
        return Path(download.value.path()).read_bytes()

    def sees(self, text: str) -> bool:
        """Whether the page contains the text, now or within ten seconds."""
        try:
            self.page.get_by_text(text).first.wait_for(timeout=10_000)
        except TimeoutError:
            return False
        return True

    def finds(self, path: str, text: str) -> bool:
        """Whether the page contains the text after it is loaded again."""
        self.open(path)
        return text in self.page.inner_text("body")

    def write(self, *, to: str, subject: str, text: str) -> None:
        """Writes a new message without sending it."""
        self.open("/mail/write/")
        self.fill(to=to, subject=subject, text=text)

    def send(self) -> None:
        """Sends the message that is open, in spite of any warning."""
        again = self.page.get_by_role("button", name="Send anyway", exact=True)
        sent = self.page.get_by_text("Message sent").first
        # On the next page: this one may still show that the previous message was sent.
        self.page.evaluate("document.querySelector('.app-undo-send')?.remove()")
        self.press("Send")
        again.or_(sent).first.wait_for()
        if again.is_visible():
            with self.page.expect_navigation():
                again.click()
        self.page.get_by_text("Message sent").first.wait_for()

    def sign_in(self, person: Person) -> None:
        """Signs in with the password, and with a code if there is an app."""
        self.open("/account/login/")
        self.fill(login=person["address"], password=person["password"])
        self.press("Sign in")
        if person["totp_secret"]:
            self.fill(code=totp(person["totp_secret"]))
            self.press("Continue")
        self.page.wait_for_url(lambda url: "login" not in url and "auth" not in url)


class Visits:
    """Opens browsers for visitors.

    A person who signed in less than a minute ago gets the same session, as a code can
    be used only once. Later sign-ins are new, as some pages require a recent one.
    """

    def __init__(self, browser: Browser, postern: Postern) -> None:
        self._browser = browser
        self._postern = postern
        self._contexts: list[BrowserContext] = []
        self._kept: dict[str, tuple[float, Any]] = {}

    def __call__(self, person: Person | None = None, **options: Any) -> Visitor:
        """Opens a browser in which `person` is signed in, or no one."""
        kept = self._recent_state(person)
        context = self._browser.new_context(
            accept_downloads=True, locale="en-GB", storage_state=kept, **options
        )
        self._contexts.append(context)
        visitor = Visitor(context, self._postern)
        if person and kept is None:
            visitor.sign_in(person)
            self._kept[person["address"]] = time.monotonic(), context.storage_state()
        return visitor

    def _recent_state(self, person: Person | None) -> Any:
        """Returns the browser state of the person's latest sign-in, if it is recent."""
        at, state = self._kept.get(person["address"] if person else "", (0.0, None))
        return state if time.monotonic() - at < A_MOMENT else None

    def page_texts(self) -> str:
        """Returns the text of every open page, to show why a journey failed."""
        pages = [page for context in self._contexts for page in context.pages]
        return "\n\n".join(f"{page.url}\n{_text(page)}" for page in pages)

    def close_all(self) -> None:
        while self._contexts:
            self._contexts.pop().close()


def totp(secret: str) -> str:
    """Returns the code that an authenticator app shows now (RFC 6238)."""
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
