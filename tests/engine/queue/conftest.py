from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from engine.database.threads import DatabaseThreads
from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient
from engine.mail.message import split
from engine.queue.delivery.runner import Runner
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.queue.notifications import notice_routing
from engine.registry.models import Connection, Organisation, Person
from engine.routing import routes
from engine.storage import content
from engine.storage.models import Message
from engine.transport.session_pool import Pool
from portal.demo.certificates import Authority
from tests import factories
from tests.next_hop import NextHop

RAW = b"From: a@b.example\r\nSubject: Bundle\r\nMessage-ID: <1@b.example>\r\n\r\nHello\r\n"
JANE = "jane@firm.example.secure.example"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def trust_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.POSTERN, "tls_ca_file", str(authority.ca_file))


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings.POSTERN, "var", tmp_path)
    return tmp_path


@pytest.fixture
def make_hop(authority: Authority) -> Iterator[Callable[..., NextHop]]:
    """Starts next hops whose certificates carry the given names."""
    made: list[NextHop] = []

    def make(*names: str, start: bool = True, **over: object) -> NextHop:
        context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(authority.ca_file)
        )
        context.verify_mode = ssl.CERT_OPTIONAL
        certificate = authority.issue(*names)
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
        hop = NextHop(**({"context": context} | over))
        made.append(hop)
        hop.start()
        return hop

    yield make
    for hop in made:
        hop.stop()


@pytest.fixture
def hop(make_hop: Callable[..., NextHop]) -> NextHop:
    """The mail server of Firm."""
    return make_hop("mail.firm.example")


@pytest.fixture
def firm_connection(firm: Organisation, hop: NextHop) -> Connection:
    """Firm's connection, which leads to its server."""
    return factories.make_connection(
        firm, next_hop_port=hop.port, next_hop_tls_name="mail.firm.example"
    )


class OneConnection(DatabaseThreads):
    """Runs everything on the test's own connection, so that it is rolled back.

    Create it outside the event loop, in the thread that has the test's connection.
    """

    def __init__(self) -> None:
        self._shared = connections["default"]
        self._shared.inc_thread_sharing()
        self._threads = ThreadPoolExecutor(1, initializer=self._share)

    def _share(self) -> None:
        connections["default"] = self._shared

    async def run(self, function, *args, **kwargs):
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def close(self) -> None:
        self._threads.shutdown()
        self._shared.dec_thread_sharing()


@dataclass
class Queue:
    """Sends and delivers messages as a test needs."""

    pool: Callable[[], Pool] = field(default=lambda: Pool(down_seconds=0))

    def send(
        self,
        sender: str,
        *recipients: str,
        raw: bytes = RAW,
        notify: str = "",
        source: Source = Source.WEBMAIL,
        requires_tls: bool = False,
        wants_full: bool = False,
    ) -> str:
        known = routes.current()
        addresses = [Address.parse(recipient) for recipient in recipients]
        [reference] = commit.commit_messages(
            [
                AcceptedMessage(
                    envelope=Envelope(
                        Address.parse(sender) if sender else None,
                        tuple(EnvelopeRecipient(a, "", notify) for a in addresses),
                        wants_full=wants_full,
                        requires_tls=requires_tls,
                    ),
                    destinations=tuple(
                        notice_routing.route_notice(known, address)[1]
                        for address in addresses
                    ),
                    kept=content.keep(*split(raw)),
                    source=source,
                    organisation_id=known.organisation_of(Address.parse(sender))
                    if sender
                    else None,
                )
            ]
        )
        return reference

    def run(self, *, until_nothing_is_due: bool = False) -> int:
        """Runs one runner: once, or until it claims nothing more."""
        return asyncio.run(self._run(OneConnection(), until_nothing_is_due))

    async def _run(self, database: OneConnection, until_nothing_is_due: bool) -> int:
        runner = Runner(pool=self.pool(), database=database)
        try:
            done = await runner.run_once()
            while until_nothing_is_due and await runner.run_once():
                pass
            return done
        finally:
            await runner.close()

    def make_all_due(self, rows: QuerySet[Recipient] | None = None) -> None:
        """Ends every delay and lease."""
        rows = Recipient.objects.all() if rows is None else rows
        past = timezone.now() - timedelta(seconds=1)
        rows.exclude(leased_until=None).update(leased_until=past)
        rows.update(next_attempt_at=past)

    def age(self, by: timedelta) -> None:
        """Moves the acceptance of every message back by that much."""
        for message in QueuedMessage.objects.all():
            message.accepted_at -= by
            message.expires_at -= by
            message.save()

    def recipient(self, reference: str) -> Recipient:
        return Recipient.objects.get(message__reference=reference)

    def status(self, reference: str) -> RecipientStatus:
        return RecipientStatus(self.recipient(reference).status)

    def inbox(self, person: Person) -> list[Message]:
        return list(Message.objects.filter(mailbox__owner=person, folder__role="inbox"))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def read() -> Callable[[Message], bytes]:
    """Reads the whole message behind a row of a folder."""
    return lambda message: content.read(message)
