"""One version's side of `dead_hop`, run by that version's Python in its folder.

It uses only modules that much older versions have too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import smtplib
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks import ready

# isort: split
from aiosmtpd.smtp import SMTP
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY as USER_KEY,
)
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from engine.queue.models import QueuedMessage, Recipient, Source
from engine.registry.actions import connections, domains, organisations
from engine.registry.models import (
    AccountType,
    Kind,
    Organisation,
    Person,
    Proof,
    RoleName,
    StaffRole,
)
from engine.storage.models import Content
from portal.demo.certificates import Authority
from tests.peers.postfix import Postfix
from tests.peers.process import Daemon, answers, free_port, remove_folder

SENDER = "clerk@firm.example"
HEALTHY = "base.example"
PATIENCE = 120.0  # seconds after the last message; a missing one counts as this late
WARM_UP = 20
AT_ONCE = 5000
SILENT = 3600.0
PAGE = "/admin/queue/destinations/"


def main(wanted: dict[str, Any]) -> None:
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    made = authority.issue(f"mail.{HEALTHY}")
    with ExitStack() as stack:
        postfix = stack.enter_context(
            Postfix(HEALTHY, "user", cert_file=made.cert_file, key_file=made.key_file)
        )
        broken = stack.enter_context(_broken_hops(authority, wanted["hops"]))
        destinations = _community(postfix.port, broken)
        stack.enter_context(_engine())
        healthy = Healthy(postfix, authority.ca_file)
        healthy.times("warm-up", WARM_UP, wanted["every"])
        alone, lost_alone = healthy.times("alone", wanted["messages"], wanted["every"])
        _make_due(destinations, wanted["due"])
        beside, lost = healthy.times("beside", wanted["messages"], wanted["every"])
        page = _page_seconds()
    due = Recipient.objects.filter(status="queued", destination__in=destinations)
    found = {
        "alone": alone,
        "beside": beside,
        "lost_alone": lost_alone,
        "lost_beside": lost,
        "page": page,
        "due": due.count(),
    }
    print(json.dumps(found))


@dataclass
class Healthy:
    """A working server, and messages for it on one persistent connection each."""

    postfix: Postfix
    ca_file: Path

    def times(self, name: str, count: int, every: float) -> tuple[list[float], int]:
        """Returns the seconds from submission to mailbox, and how many did not arrive.

        Those that did not arrive count with the time that the test waited.
        """
        sent: dict[str, float] = {}
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with smtplib.SMTP("localhost", settings.POSTERN.smtp_port) as client:
            client.starttls(context=context)
            for number in range(count):
                key = f"{name}-{number}"
                text = f"From: {SENDER}\r\nSubject: {key}\r\nMessage-ID: <{key}@x>\r\n"
                sent[key] = time.time()
                client.sendmail(SENDER, [f"user@{HEALTHY}"], f"{text}\r\nHello\r\n")
                time.sleep(every)
        deadline = time.time() + PATIENCE
        arrived = self._arrived()
        while not sent.keys() <= arrived.keys() and time.time() < deadline:
            time.sleep(0.5)
            arrived = self._arrived()
        now = time.time()
        return (
            [arrived.get(key, now) - at for key, at in sent.items()],
            len(sent.keys() - arrived.keys()),
        )

    def _arrived(self) -> dict[str, float]:
        """Returns the arrival time of each message, by its subject."""
        found = {}
        for path in (self.postfix.folder / "mail/user/new").glob("*"):
            with contextlib.suppress(FileNotFoundError):
                head = path.read_bytes().partition(b"\nSubject: ")[2]
                subject = head.partition(b"\n")[0].strip().decode()
                found[subject] = path.stat().st_mtime_ns / 1e9
        return found


class Mute(SMTP):
    """A server that stops responding after DATA."""

    async def smtp_DATA(self, arg: str) -> None:
        await asyncio.sleep(SILENT)


@contextmanager
def _broken_hops(authority: Authority, count: int) -> Iterator[list[int]]:
    """Listens on ports that refuse, or stop after the banner or DATA, in turn."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made = authority.issue("broken.example")
    context.load_cert_chain(made.cert_file, made.key_file)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def banner(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 broken.example ESMTP\r\n")
        with contextlib.suppress(OSError):
            while await reader.read(1024):
                pass

    def mute() -> SMTP:
        return Mute(object(), hostname="broken.example", tls_context=context, loop=loop)

    async def listen(port: int, kind: int) -> None:
        if kind == 1:
            await asyncio.start_server(banner, "127.0.0.1", port)
        elif kind == 2:
            await loop.create_server(mute, "127.0.0.1", port)

    ports = [free_port() for _ in range(count)]
    for number, port in enumerate(ports):
        asyncio.run_coroutine_threadsafe(listen(port, number % 3), loop).result()
    yield ports
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def _community(port: int, broken: list[int]) -> list[str]:
    """Creates a firm that sends, a member with a working server, and some without.

    Returns the destinations under which mail to the latter is queued.
    """
    firm = _organisation("firm.example")
    connections.add(firm, proof=Proof.SOURCE, source_networks=["127.0.0.1/32"], by=None)
    _connect(_organisation(HEALTHY), f"mail.{HEALTHY}", port)
    return [
        _connect(_organisation(f"dead{number}.example"), "broken.example", dead)
        for number, dead in enumerate(broken)
    ]


def _organisation(domain: str) -> Organisation:
    made = organisations.add(
        name=domain, kind=Kind.LAW_FIRM, account_type=AccountType.SMTP, by=None
    )
    domains.verify(domains.add(made, member_domain=domain, by=None), by=None)
    organisations.activate(made, by=None)
    return made


def _connect(organisation: Organisation, name: str, port: int) -> str:
    made = connections.add(
        organisation,
        proof=Proof.CREDENTIAL,
        next_hop_host="127.0.0.1",
        next_hop_port=port,
        next_hop_tls_name=name,
        by=None,
    )
    return f"connection:{made.pk}"


@contextmanager
def _engine() -> Iterator[None]:
    log = settings.POSTERN.path("engine.log")
    engine = Daemon([sys.executable, "manage.py", "run_engine"], log)
    try:
        engine.wait_for(lambda: answers(settings.POSTERN.smtp_port))
        yield
    finally:
        engine.stop()


def _make_due(destinations: list[str], count: int) -> None:
    """Queues recipients, each of its own message, that have been due for an hour."""
    since = timezone.now() - timedelta(hours=1)
    content = Content.objects.create(
        size=40, body_digest="0" * 64, header=b"Subject: x\r\n\r\n", body=b"Hello\r\n"
    )
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        messages = QueuedMessage.objects.bulk_create(
            QueuedMessage(
                reference=f"DUE{number}",
                content=content,
                sender=f"{SENDER}.secure.example",
                source=Source.RECEIVE,
                accepted_at=since,
                expires_at=since + timedelta(days=2),
            )
            for number in numbers
        )
        Recipient.objects.bulk_create(
            Recipient(
                message=message,
                address=f"x@dead{number % len(destinations)}.example.secure.example",
                destination=destinations[number % len(destinations)],
                next_attempt_at=since,
            )
            for number, message in zip(numbers, messages, strict=True)
        )


def _page_seconds() -> float:
    """Returns the slowest of three requests, after one that loads the site."""
    client = _operator()
    times = []
    for _ in range(4):
        began = time.perf_counter()
        answer = client.get(PAGE)
        times.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise RuntimeError(f"{PAGE} answered {answer.status_code}")
    return max(times[1:])


def _operator() -> Client:
    """Returns a browser signed in as an operator with a confirmed second factor."""
    person = Person.objects.create_user(
        "olive@secure.example", secrets.token_urlsafe(), name="Olive"
    )
    StaffRole.objects.create(person=person, role=RoleName.OPERATOR)
    totp.TOTP.activate(person, totp.generate_totp_secret())
    client = Client(SERVER_NAME="localhost")
    client.force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": time.time()},
        {"method": "mfa", "type": "totp", "at": time.time()},
    ]
    session[USER_KEY] = str(person.pk)
    session.save()
    return client


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    finally:
        remove_folder(ready.FOLDER)
