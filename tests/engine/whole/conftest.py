from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator

import pytest

from engine.registry import credentials
from engine.registry.models import Connection
from portal.demo.certificates import Authority
from tests import factories
from tests.peers.engine import Engine

SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def engine(transactional_db: None, authority: Authority) -> Iterator[Engine]:
    """The mail engine, running. It does not scan: scanning has its own tests."""
    with Engine(authority, POSTERN_CLAMD="off") as running:
        yield running


@pytest.fixture
def firm_server(firm_connection: Connection) -> Connection:
    """The firm's connection with a credential, `firm` and SECRET."""
    factories.make_connection_credential(
        firm_connection, "firm", credentials.digest(SECRET)
    )
    return firm_connection


@pytest.fixture
def connect(authority: Authority) -> Callable[[Engine], smtplib.SMTP]:
    """Sign in to the receiving door as the firm's server."""

    def connected(engine: Engine) -> smtplib.SMTP:
        client = smtplib.SMTP("localhost", engine.ports["smtp"], timeout=60)
        client.starttls(
            context=ssl.create_default_context(cafile=str(authority.ca_file))
        )
        client.login("firm", SECRET)
        return client

    return connected
