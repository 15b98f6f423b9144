from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError
from pytest_django import DjangoDbBlocker

from engine.database.dead_connections import has_ended
from portal.configuration import database_url
from portal.configuration.environment import Environment
from portal.serving import asgi_handler
from tests.peers.fault_proxy import Fault, FaultProxy
from tests.peers.postgres import HASTY, Postgres
from tests.peers.process import wait_until
from tests.portal.serving.conftest import ServeSite
from tests.portal.serving.conftest import serve as serve

VAR = Path("/srv/postern")
Connect = Callable[[str], BaseDatabaseWrapper]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres(*HASTY) as running:
        yield running


@pytest.fixture
def configure(django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[[str], None]]:
    """Configures a second database, "other", from a URL as the service would."""

    def configure_as_ours(url: str) -> None:
        database_url.check(url)
        connections.databases["other"] = database_url.settings_of(url, var=VAR)
        connections.configure_settings(connections.databases)

    with django_db_blocker.unblock():
        yield configure_as_ours
        connections["other"].close()
    del connections["other"], connections.databases["other"]


@pytest.fixture
def connect(configure: Callable[[str], None]) -> Connect:
    """Opens that database."""

    def open_as_ours(url: str) -> BaseDatabaseWrapper:
        configure(url)
        connections["other"].ensure_connection()
        return connections["other"]

    return open_as_ours


def query_value(connection: BaseDatabaseWrapper, statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_options_reach_the_server(server: Postgres, connect: Connect) -> None:
    options = "application_name=Postern%20pages&options=-c%20work_mem%3D5MB"

    opened = connect(f"{server.url}?{options}")

    assert query_value(opened, "SHOW application_name") == "Postern pages"
    assert query_value(opened, "SHOW work_mem") == "5MB"


def test_encryption_that_is_asked_for_is_not_dropped(
    server: Postgres, connect: Connect
) -> None:
    with pytest.raises(OperationalError, match="does not support SSL"):
        connect(f"{server.url}?sslmode=require")


def test_the_server_ends_the_transactions_of_a_host_that_vanished(
    server: Postgres, connect: Connect
) -> None:
    """Its locks would stop the other hosts until its connections are found dead."""
    opened = connect(f"{server.url}?options=-c%20tcp_keepalives_idle%3D7")

    found = {
        name: query_value(opened, f"SHOW {name}")
        for name in (
            "tcp_keepalives_idle",
            "tcp_keepalives_interval",
            "tcp_keepalives_count",
            "tcp_user_timeout",
        )
    }

    assert found == {
        "tcp_keepalives_idle": "7",  # what the URL asks for takes precedence
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "2",
        "tcp_user_timeout": "3000",
    }


def test_a_server_that_vanished_is_noticed(server: Postgres, connect: Connect) -> None:
    opened = connect(f"{server.url}?keepalives_idle=7")

    with socket.fromfd(
        opened.connection.fileno(), socket.AF_INET, socket.SOCK_STREAM
    ) as own:
        timeout = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        idle = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)

    assert (timeout, idle) == (3_000, 7)


def test_the_second_host_is_asked_where_the_first_is_away(
    server: Postgres, connect: Connect
) -> None:
    hosts = f"127.0.0.1:1,127.0.0.1:{server.port}"

    opened = connect(
        f"postgresql://postgres@{hosts}/postgres"
        "?target_session_attrs=read-write&connect_timeout=5"
    )

    assert query_value(opened, "SELECT inet_server_port()") == server.port


@pytest.fixture
def primary(server: Postgres) -> Iterator[FaultProxy]:
    """The way to a server that comes first in the URL, and can be lost."""
    with FaultProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def both(server: Postgres, primary: FaultProxy) -> str:
    """The URL of that server and, behind it, one that stays."""
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{server.port}"
    return f"postgresql://postgres@{hosts}/postgres?connect_timeout=2"


def test_a_server_that_did_not_answer_is_asked_last(
    primary: FaultProxy, both: str, connect: Connect
) -> None:
    """Otherwise each new connection would wait for it after a failover."""
    primary.fault = Fault.SILENT
    opened = connect(both)
    opened.close()

    opened.ensure_connection()

    assert primary.connections == 1


def test_a_server_that_was_lost_is_asked_last(
    primary: FaultProxy, both: str, connect: Connect
) -> None:
    opened = connect(both)
    primary.fault = Fault.CUT
    with pytest.raises(OperationalError):
        query_value(opened, "SELECT 1")
    opened.close()

    opened.ensure_connection()

    assert primary.connections == 1


def test_a_server_that_ended_an_idle_connection_is_asked_last(
    server: Postgres, primary: FaultProxy, both: str, connect: Connect
) -> None:
    opened = connect(both)
    pid = query_value(opened, "SELECT pg_backend_pid()")
    server.execute(f"SELECT pg_terminate_backend({pid})")
    wait_until(lambda: has_ended(opened.connection), "the end of the connection")
    opened.close()

    opened.ensure_connection()

    assert primary.connections == 1


def test_a_server_that_fails_later_gives_way_to_the_first_again(
    primary: FaultProxy, both: str, connect: Connect, server: Postgres
) -> None:
    opened = connect(both)
    primary.fault = Fault.CUT
    with pytest.raises(OperationalError):
        query_value(opened, "SELECT 1")
    opened.close()
    primary.fault = Fault.NONE
    pid = query_value(opened, "SELECT pg_backend_pid()")
    server.execute(f"SELECT pg_terminate_backend({pid})")
    wait_until(lambda: has_ended(opened.connection), "the end of the connection")
    opened.close()

    opened.ensure_connection()

    assert primary.connections == 2


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://u:pepper@h/db?sslmod=require", 'Did you mean "sslmode"?'),
        ("postgresql://u:pepper@h/db?sslmode", "cannot be read: missing key/value"),
        ("postgresql://u:pep%zzper@h/db", "cannot be read: invalid percent-encoded"),
        ("postgresql://u:pep@per@h/db", "Write the password's own as %40"),
        ("postgresql://u:pepper@[::1/db", "cannot be read: "),
        ("postgresql://u:pepper@h/", "names no database"),
        ("mysql://u:pepper@h/db", "must begin with postgresql://"),
        ("host=h password=pepper dbname=db", "must begin with postgresql://"),
        ("sqlite:///srv/mail.db?mode=ro", "takes no options"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_no_secret_shown(
    url: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        Environment(database_url=url)

    assert sentence in str(raised.value)
    assert "pepper" not in str(raised.value)
    assert "pep%zzper" not in str(raised.value)


def test_a_unix_socket_and_a_service_need_no_host() -> None:
    socket = "postgresql:///mail?host=/run/postgresql&user=postern"
    database_url.check(socket)
    made = database_url.settings_of(socket, var=VAR)
    assert (made["HOST"], made["NAME"], made["USER"]) == (
        "/run/postgresql",
        "mail",
        "postern",
    )
    database_url.check("postgresql://?service=mail")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", VAR / "postern.sqlite3"),
        ("sqlite:////srv/my%20mail.db", "//srv/my mail.db"),
    ],
)
def test_sqlite(url: str, name: object) -> None:
    database_url.check(url)

    assert database_url.settings_of(url, var=VAR)["NAME"] == name


@given(
    options=st.dictionaries(
        st.sampled_from(["sslmode", "sslrootcert", "connect_timeout", "passfile"]),
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1),
    )
)
def test_nothing_that_libpq_reads_is_lost(options: dict[str, str]) -> None:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    url = f"postgresql://u:p%40w@h1:1,h2:2/db?{query}"

    made = database_url.settings_of(url, var=VAR)

    assert made["OPTIONS"].pop("fallback_application_name").startswith("postern@")
    assert made["OPTIONS"].pop("options") == database_url.SERVER_OPTIONS
    assert made["OPTIONS"] == database_url.CLIENT_OPTIONS | options
    assert conninfo_to_dict(url) == {
        **options,
        "dbname": made["NAME"],
        "user": made["USER"],
        "password": made["PASSWORD"],
        "host": made["HOST"],
        "port": made["PORT"],
    }


async def test_a_page_that_asks_too_much_is_ended(
    server: Postgres,
    configure: Callable[[str], None],
    serve: ServeSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings.POSTERN, "web_statement_seconds", 1)
    configure(server.url)
    web = await serve()

    answer = await web.get("/slow/")

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in answer


@pytest.mark.parametrize(
    ("options", "limit"),
    [("", "3s"), ("?options=-c%20statement_timeout%3D7000", "7s")],
)
def test_a_page_s_limit_leaves_one_that_the_operator_set(
    server: Postgres,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    limit: str,
) -> None:
    monkeypatch.setattr(settings.POSTERN, "web_statement_seconds", 3)
    connection_created.connect(asgi_handler._limit_statements)
    try:
        opened = connect(f"{server.url}{options}")
    finally:
        connection_created.disconnect(asgi_handler._limit_statements)

    with opened.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == (limit,)
