from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator

import pytest

from engine.registry.credentials import generated_secrets
from engine.registry.models import Connection, Person
from portal.demo.certificates import Authority
from tests import factories
from tests.next_hop import NextHop
from tests.peers.engine import Engine, RestartedEngine

SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def engine(transactional_db: None, authority: Authority) -> Iterator[Engine]:
    """A running mail engine without antivirus, which has its own tests.

    Request it last: it sees rows that are created later only after up to a second.
    """
    with Engine(authority, POSTERN_CLAMD="off") as running:
        yield running


@pytest.fixture
def restarted_engine(
    transactional_db: None, authority: Authority
) -> Iterator[RestartedEngine]:
    """Like `engine`, for tests that restart it many times."""
    with RestartedEngine(authority, POSTERN_CLAMD="off") as running:
        yield running


@pytest.fixture
def firm_with_credential(firm_connection: Connection) -> Connection:
    """The firm's connection with a credential, `firm` and SECRET."""
    factories.make_connection_credential(
        firm_connection, "firm", generated_secrets.digest(SECRET)
    )
    return firm_connection


@pytest.fixture
def bobs_client(authority: Authority, bob: Person) -> Callable[[Engine], smtplib.SMTP]:
    """Connects to submission and signs in as Bob with an app password."""
    factories.make_app_password(bob, generated_secrets.digest(SECRET))

    def connected(engine: Engine) -> smtplib.SMTP:
        client = smtplib.SMTP("localhost", engine.ports["submission"], timeout=60)
        client.starttls(
            context=ssl.create_default_context(cafile=str(authority.ca_file))
        )
        client.login(bob.address, SECRET)
        return client

    return connected


@pytest.fixture
def next_hop(
    authority: Authority, firm_with_credential: Connection
) -> Iterator[NextHop]:
    """The firm's own server, to which its connection leads."""
    own = authority.issue("mail.firm.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.cert_file, own.key_file)
    hop = NextHop(context=context)
    hop.start()
    firm_with_credential.next_hop_port = hop.port
    firm_with_credential.next_hop_tls_name = "mail.firm.example"
    firm_with_credential.save()
    yield hop
    hop.stop()


@pytest.fixture
def connect(authority: Authority) -> Callable[[Engine], smtplib.SMTP]:
    """Connects to the SMTP port for servers and signs in as the firm."""

    def connected(engine: Engine) -> smtplib.SMTP:
        client = smtplib.SMTP("localhost", engine.ports["smtp"], timeout=60)
        client.starttls(
            context=ssl.create_default_context(cafile=str(authority.ca_file))
        )
        client.login("firm", SECRET)
        return client

    return connected
