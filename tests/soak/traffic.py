"""Senders that retry until a message is acknowledged, as mail servers and people do."""

from __future__ import annotations

import http.client
import random
import smtplib
import ssl
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tests.benchmarks.member import Browser
from tests.peers.process import PeerError
from tests.soak.ledger import Ledger, Sent
from tests.soak.world import Entry, World

RETRY = 1.0  # seconds until a message that was not acknowledged is sent again
SMALL = 2_000  # octets
TO_A_SERVER = "to a server"
FAILURES = (OSError, smtplib.SMTPException, http.client.HTTPException, PeerError)


class Way(Protocol):
    """A way to send a message: `send` returns when the message is acknowledged.

    Raises one of FAILURES if it is not acknowledged, or may not have been.
    """

    name: str

    def send(self, sent: Sent) -> None: ...


@dataclass
class Traffic:
    """All senders, each in its own thread."""

    ledger: Ledger
    ways: Iterable[Way]
    pause: float  # seconds between two messages of one sender

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(way,), name=way.name)
            for way in self.ways
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float) -> None:
        """Stops sending, and gives unacknowledged messages `patience` seconds."""
        self._stop.set()
        for thread in self._threads:
            thread.join(patience)
        self._give_up.set()
        for thread in self._threads:
            thread.join()

    def _run(self, way: Way) -> None:
        while not self._stop.wait(self.pause):
            sent = self.ledger.begin(way.name)
            while not self._is_acknowledged(way, sent):
                if self._give_up.wait(RETRY):
                    return

    def _is_acknowledged(self, way: Way, sent: Sent) -> bool:
        try:
            way.send(sent)
        except FAILURES:
            return False
        self.ledger.acknowledge(sent)
        return True


def ways(world: World) -> list[Way]:
    """Returns the ways in and out that every world has."""
    return [
        ByServer("from a server", world),
        ThroughPostfix("through Postfix", world),
        ByProgram(TO_A_SERVER, world),
        ByWebmail("webmail", world),
    ]


def text(sent: Sent, sender: str, recipient: str, large: int) -> bytes:
    """Returns the same octets for each attempt, so that resends are recognised."""
    size = large if sent.number % 10 == 0 else SMALL
    letters = random.Random(sent.number).choices("abcdefghijklmnop     ", k=size)
    body = "".join(letters)
    lines = "\r\n".join(body[at : at + 70] for at in range(0, size, 70))
    head = (
        f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: soak-{sent.number} {sent.way}"
        f"\r\nMessage-ID: <soak-{sent.number}@soak.example>\r\n\r\n"
    )
    return f"{head}{lines}\r\n".encode()


@dataclass
class ByServer:
    """A member's server, which sends to either host."""

    name: str
    world: World

    def send(self, sent: Sent) -> None:
        firm, to = self.world.firm, self.world.readers["from a server"]["address"]
        raw = text(sent, firm.sender, to, self.world.large)
        with _session(self.world.next_entry(), "smtp") as client:
            client.login(firm.username, firm.password)
            client.sendmail(firm.sender, [to], raw)


@dataclass
class ThroughPostfix:
    """A Postfix, which queues messages and retries by itself."""

    name: str
    world: World

    def send(self, sent: Sent) -> None:
        firm, to = self.world.firm, self.world.readers["through Postfix"]["address"]
        raw = text(sent, firm.sender, to, self.world.large).replace(b"\r\n", b"\n")
        firm.postfix.send(raw, sender=firm.sender, recipients=[to])


@dataclass
class ByProgram:
    """A member's mail program, which writes to a person at the firm's own server."""

    name: str
    world: World

    def send(self, sent: Sent) -> None:
        person, to = self.world.writer, self.world.firm.reader
        raw = text(sent, person["address"], to, self.world.large)
        with _session(self.world.next_entry(), "submission") as client:
            client.login(person["address"], person["app_password"])
            client.sendmail(person["address"], [to], raw)


class ByWebmail:
    """A member in webmail, who returns to the same draft until it is sent."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self._world = world
        self._drafts: dict[int, str] = {}
        self._browser: Browser | None = None
        self._port = 0

    def send(self, sent: Sent) -> None:
        try:
            self._send(self._signed_in(), sent)
        except (OSError, http.client.HTTPException):
            # The session may be lost, so the next attempt signs in again.
            self._close()
            raise

    def _send(self, browser: Browser, sent: Sent) -> None:
        to = self._world.readers["webmail"]["address"]
        page = browser.get(self._drafts.get(sent.number, "/mail/write/"))
        form = page.find(".//form[@id='write']")
        if form is None:
            raise ConnectionError(f"no form at {browser.place}")
        self._drafts.setdefault(sent.number, form.action)
        page = browser.send(
            form,
            to=to,
            subject=f"soak-{sent.number} {sent.way}",
            text="At ten in court two.",
        )
        # The compose page may show that the previous message was sent.
        said = page.text_content()
        is_written_on = page.find(".//form[@id='write']") is not None
        if is_written_on or not ("Message sent" in said or "sent already" in said):
            raise ConnectionError("webmail did not say that it was sent")

    def _signed_in(self) -> Browser:
        if self._browser is None:
            person = self._world.readers["through Postfix"]
            port = self._world.next_entry().ports["web"]
            browser = Browser(port, "127.0.0.1", self._world.web_context)
            self._browser = browser
            form = next(
                f for f in browser.get("/account/login/").forms if "login" in f.fields
            )
            browser.submit(form, login=person["address"], password=person["password"])
        return self._browser

    def _close(self) -> None:
        if self._browser is not None:
            self._browser.close()
            self._browser = None


def _session(entry: Entry, port: str) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(entry.ca_file))
    client = smtplib.SMTP("localhost", entry.ports[port], "soak.example", 30)
    try:
        client.starttls(context=context)
    except BaseException:
        client.close()
        raise
    return client
