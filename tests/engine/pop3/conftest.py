from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from engine.database.threads import DatabaseThreads
from engine.pop3.server import open_port
from engine.pop3.server_context import Limits, ServerContext
from engine.registry.credentials import (
    authentication,
    generated_secrets,
    scram_offer,
)
from engine.registry.credentials.sign_in_throttle import Throttle
from engine.registry.models import Mailbox, Person
from engine.secrets.certificates import CertificateFiles
from engine.smtp.server import server_tls_context
from portal.demo.certificates import Authority
from tests import factories
from tests.dialogue import FOLDER, Dialogue

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


@pytest.fixture(scope="session")
def tls_context(authority: Authority) -> ssl.SSLContext:
    own = authority.issue("localhost", "127.0.0.1")
    return server_tls_context(
        CertificateFiles(str(own.cert_file), str(own.key_file), "")
    )


@pytest.fixture
def client_context(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca_file))


@pytest.fixture
def reader(transactional_db: None, bob: Person) -> Person:
    """Bob, whose mail program has the app password SECRET."""
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    return bob


@pytest.fixture
def listing(reader: Person) -> Mailbox:
    """A team's mailbox, which Bob can only read."""
    organisation = reader.organisation
    mailbox = factories.make_group_mailbox(
        "listing@northfield.secure.example", organisation
    )
    factories.make_grant(mailbox, reader, can_read=True)
    return mailbox


@dataclass
class Server:
    """Both POP3 ports. Clients run in threads."""

    pop3: int
    pop3s: int
    context: ssl.SSLContext
    state: ServerContext

    async def run(self, name: str, **values: str) -> None:
        """Runs one of the dialogues in tests/dialogues/pop3."""
        await self.say((FOLDER / "pop3" / f"{name}.txt").read_text(), **values)

    async def say(self, text: str, **values: str) -> None:
        def talk() -> None:
            Dialogue(self.pop3, self.context).run(text, secret=SECRET, **values)

        await asyncio.to_thread(talk)


Serve = Callable[[Limits], Awaitable[Server]]


@pytest_asyncio.fixture
async def serve(
    transactional_db: None,
    tls_context: ssl.SSLContext,
    client_context: ssl.SSLContext,
) -> AsyncIterator[Serve]:
    """Starts a server with the given limits."""
    threads = DatabaseThreads("pop3", count=2)
    await threads.run(scram_offer.refresh)
    opened: list[tuple[ServerContext, list[asyncio.Server]]] = []

    async def started(limits: Limits) -> Server:
        state = ServerContext(tls_context, threads, limits)
        ports = [
            await open_port(state, host="127.0.0.1", port=0),
            await open_port(state, host="127.0.0.1", port=0, implicit_tls=True),
        ]
        opened.append((state, ports))
        numbers = [port.sockets[0].getsockname()[1] for port in ports]
        return Server(*numbers, client_context, state)

    yield started
    for state, ports in opened:
        for port in ports:
            port.close()
            await port.wait_closed()
        await state.close()
    await threads.close()


@pytest_asyncio.fixture
async def server(serve: Serve) -> Server:
    return await serve(Limits())
