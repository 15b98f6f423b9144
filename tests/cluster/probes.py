"""Clients that try each port again and again, and record for how long they are refused."""

from __future__ import annotations

import http.client
import poplib
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.cluster.traffic import call
from tests.cluster.world import Cluster

EVERY = 0.25
TIMEOUT = 15.0
FAILURES = (
    OSError,
    smtplib.SMTPException,
    http.client.HTTPException,
    poplib.error_proto,
)


@dataclass
class Probe:
    """One kind of client. A refusal lasts from the first attempt that fails, from its
    beginning, until the end of the next that succeeds."""

    name: str
    attempt: Callable[[], None]
    refusals: list[tuple[float, float]] = field(default_factory=list)
    last_error: tuple[float, str] = (0.0, "")
    _since: float | None = None

    def try_once(self) -> None:
        began = time.monotonic()
        try:
            self.attempt()
        except FAILURES as error:
            self.last_error = (began, f"{type(error).__name__}: {error}")
            if self._since is None:
                self._since = began
            return
        if self._since is not None:
            self.refusals.append((self._since, time.monotonic()))
            self._since = None

    def refused_since(self, when: float) -> float:
        """Returns the longest refusal after `when`, in seconds."""
        found = [*self.refusals]
        if (since := self._since) is not None:
            found.append((since, time.monotonic()))
        return max(
            (end - max(begin, when) for begin, end in found if end > when), default=0.0
        )


class Probes:
    """All of them, each in its own thread."""

    def __init__(self, world: Cluster) -> None:
        self.all = list(probes(world))
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(one,), name=f"probe {one.name}")
            for one in self.all
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def refused(self, since: float) -> dict[str, float]:
        """Returns for how long each client was refused, in seconds."""
        return {one.name: one.refused_since(since) for one in self.all}

    def errors(self, since: float) -> list[str]:
        """Returns the last error of each client that was refused."""
        last = [(one.name, *one.last_error) for one in self.all]
        return [f"{name}: {text}" for name, when, text in last if when > since]

    def _run(self, probe: Probe) -> None:
        while not self._stop.wait(EVERY):
            probe.try_once()


def probes(world: Cluster) -> Iterator[Probe]:
    """Yields a client of each kind, all of which sign in."""
    context = ssl.create_default_context(cafile=world.balancer.ca_file)
    ports, firm, person = world.balancer.ports, world.firm, world.writer

    def receive() -> None:
        with smtplib.SMTP("localhost", ports["smtp"], timeout=TIMEOUT) as client:
            client.starttls(context=context)
            client.login(firm.username, firm.password)
            refuse_nothing(client.mail(firm.sender))
            refuse_nothing(client.rcpt(world.readers["from a server"]["address"]))

    def submission() -> None:
        with smtplib.SMTP_SSL(
            "localhost", ports["submissions"], timeout=TIMEOUT, context=context
        ) as client:
            client.login(person["address"], person["app_password"])

    def pop3() -> None:
        client = poplib.POP3_SSL(
            "localhost", ports["pop3s"], timeout=TIMEOUT, context=context
        )
        try:
            client.user(person["address"])
            client.pass_(person["app_password"])
            client.stat()
            client.quit()
        finally:
            client.close()

    def site() -> None:
        get(world, "/account/login/")

    def api() -> None:
        call(world, "GET", "/api/v1/mailboxes/")

    named = {
        "receive": receive,
        "submissions": submission,
        "pop3s": pop3,
        "site": site,
        "API": api,
    }
    for name, attempt in named.items():
        yield Probe(name, attempt)


def refuse_nothing(reply: tuple[int, bytes]) -> None:
    code, text = reply
    if code >= 300:
        raise smtplib.SMTPResponseException(code, text)


def get(world: Cluster, path: str) -> None:
    connection = http.client.HTTPSConnection(
        "localhost",
        world.balancer.ports["web"],
        timeout=TIMEOUT,
        context=world.web_context,
    )
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise ConnectionError(f"{path} answered {answer.status}")
