from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from engine.database.threads import DatabaseThreads
from engine.queue.enqueue.group_commit import GroupCommitter
from engine.registry.credentials import (
    authentication,
    generated_secrets,
    scram_offer,
)
from engine.registry.credentials.sign_in_throttle import Throttle
from engine.registry.models import Connection, Person
from engine.routing import routes
from engine.secrets.certificates import CertificateFiles
from engine.smtp.listener_policy import ListenerPolicy
from engine.smtp.receive_policy import ReceivePolicy
from engine.smtp.server import listen, server_tls_context
from engine.smtp.server_context import ServerContext
from engine.smtp.submission_policy import SubmissionPolicy
from portal.demo.certificates import Authority
from tests import factories
from tests.dialogue import FOLDER, Dialogue
from tests.fakes import FakeScanner

SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"


@pytest.fixture(autouse=True)
def throttle(monkeypatch: pytest.MonkeyPatch) -> Throttle:
    """A throttle without wrong passwords of other tests, which would slow this one."""
    fresh = Throttle()
    monkeypatch.setattr(authentication, "throttle", fresh)
    return fresh


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def client_context(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca_file))


@dataclass
class Server:
    """The SMTP servers, each on its own ports."""

    receive: int
    submission: int
    submissions: int
    context: ssl.SSLContext
    contexts: list[ServerContext]

    async def run(self, folder: str, name: str, **values: str) -> None:
        """Runs a dialogue from tests/dialogues on the port that it is written for."""
        await self.say(folder, (FOLDER / folder / f"{name}.txt").read_text(), **values)

    async def begin(self, port: str) -> Dialogue:
        """Connects for a dialogue that runs in parts."""
        await routes.refresh()
        return Dialogue(getattr(self, port), self.context)

    async def say(self, port: str, text: str, **values: str) -> None:
        number = getattr(self, port)

        def talk() -> None:
            Dialogue(number, self.context).run(text, **values)

        await routes.refresh()
        await asyncio.to_thread(talk)


@pytest_asyncio.fixture
async def server(
    transactional_db: None, authority: Authority, client_context: ssl.SSLContext
) -> AsyncIterator[Server]:
    own = authority.issue("localhost", "127.0.0.1")
    context = server_tls_context(
        CertificateFiles(str(own.cert_file), str(own.key_file), str(authority.ca_file))
    )
    committer = GroupCommitter(on_queued=lambda: None)
    threads = DatabaseThreads("credentials", count=2)
    await routes.refresh()
    await threads.run(scram_offer.refresh)

    def new_context(policy: ListenerPolicy) -> ServerContext:
        return ServerContext(
            policy=policy,
            server_name="localhost",
            tls_context=context,
            scanner=FakeScanner(),
            committer=committer,
            size_limit=1_000_000,
            threads=threads,
        )

    contexts = [new_context(ReceivePolicy()), new_context(SubmissionPolicy())]
    opened = [
        await listen(contexts[0], host="127.0.0.1", port=0),
        await listen(contexts[1], host="127.0.0.1", port=0),
        await listen(contexts[1], host="127.0.0.1", port=0, implicit_tls=True),
    ]
    ports = [one.sockets[0].getsockname()[1] for one in opened]
    yield Server(*ports, context=client_context, contexts=contexts)
    for one in opened:
        one.close()
        await one.wait_closed()
    await committer.close()
    await threads.close()


@pytest.fixture
def credential(transactional_db: None, firm_connection: Connection) -> str:
    """The initial response of the firm's server to AUTH PLAIN."""
    factories.make_connection_credential(
        firm_connection, "firm", generated_secrets.digest(SECRET)
    )
    return plain("firm", SECRET)


@pytest.fixture
def app_password(transactional_db: None, bob: Person) -> str:
    """The initial response of Bob's mail program to AUTH PLAIN."""
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    return plain(bob.address, SECRET)


def plain(username: str, secret: str) -> str:
    return base64.b64encode(f"\0{username}\0{secret}".encode()).decode()
