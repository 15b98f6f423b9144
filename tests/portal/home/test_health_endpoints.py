from __future__ import annotations

import json
from io import StringIO
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from engine.health import readiness
from engine.health.metrics import exposition
from engine.health.process_identity import Identity

PROXY = "10.0.0.7"
FAR = "192.0.2.9"


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured.POSTERN, "var", tmp_path)
    exposition.write(Identity("web", "here", 1))


@pytest.fixture
def trusted_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = [IPv4Network("127.0.0.0/8"), IPv4Network("10.0.0.0/24")]
    monkeypatch.setattr(configured.POSTERN, "trusted_proxies", networks)


@pytest.fixture
def fresh_migration_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clears the cached result of the migrations check, as in a new process."""
    readiness._require_migrations.cache_clear()


def test_live_asks_no_database(
    client: Client, db: None, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/live", headers={"host": "10.1.2.3:8000"})

    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert "no-store" in response["Cache-Control"]


def test_ready_says_what_answers_and_nothing_more(client: Client, db: None) -> None:
    response = client.get("/health/ready", headers={"host": "10.1.2.3"})

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "database": "ok", "migrations": "ok"}


def test_a_migration_that_is_not_applied_is_not_ready(
    client: Client, db: None, fresh_migration_check: None
) -> None:
    [last] = MigrationLoader(connection).graph.leaf_nodes("queue")
    MigrationRecorder(connection).record_unapplied(*last)

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["migrations"] == "not applied"


def test_a_database_that_is_away_is_not_ready(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens on that port.
    monkeypatch.setattr(readiness, "_ping_database", _ask_nobody)

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "database": "does not answer"}


def _ask_nobody() -> str:
    raise ConnectionRefusedError


def test_a_cache_that_is_away_is_said_and_serves_on(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configured.POSTERN, "redis_url", "redis://127.0.0.1:1/0")

    response = client.get("/health/ready")

    assert response.status_code == 200
    assert response.json()["cache"] == "does not answer"


def test_a_process_that_stops_is_not_ready(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_state", readiness._State())

    readiness.drain()

    response = client.get("/health/ready")
    assert (response.status_code, response.json()["process"]) == (503, "stopping")


def test_metrics_are_there_for_the_same_machine(client: Client, db: None) -> None:
    response = client.get("/metrics", headers={"host": "10.1.2.3:8000"})

    assert response.status_code == 200
    assert b'process="web-1"' in response.content
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("said", ["", "Bearer wrong", "Bearer ", "Basic x"])
def test_metrics_do_not_exist_for_others(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(configured.POSTERN, "metrics_token", "a-token-of-prometheus")

    response = client.get("/metrics", REMOTE_ADDR=FAR, headers={"authorization": said})

    assert response.status_code == 404


def test_no_token_is_no_way_in(client: Client, db: None) -> None:
    response = client.get(
        "/metrics", REMOTE_ADDR=FAR, headers={"authorization": "Bearer "}
    )

    assert response.status_code == 404


def test_metrics_are_there_for_who_holds_the_token(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configured.POSTERN, "metrics_token", "a-token-of-prometheus")

    response = client.get(
        "/metrics",
        REMOTE_ADDR=FAR,
        headers={"authorization": "Bearer a-token-of-prometheus"},
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("address", "said", "status"),
    [
        # Behind our proxy, visitors are counted by their own addresses.
        ("127.0.0.1", {"x-forwarded-for": FAR}, 404),
        # A proxy on this machine that names no client must not lend its own address.
        ("127.0.0.1", {"x-forwarded-proto": "https"}, 404),
        ("127.0.0.1", {}, 200),
    ],
)
def test_a_proxy_lends_nobody_its_address(
    client: Client,
    db: None,
    trusted_proxies: None,
    address: str,
    said: dict[str, str],
    status: int,
) -> None:
    response = client.get("/metrics", REMOTE_ADDR=address, headers=said)

    assert response.status_code == status


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_probes_are_answered_without_tls(
    client: Client, db: None, settings, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path).status_code == 200
    assert client.get("/status/").status_code == 301


@pytest.mark.parametrize("path", ["/", "/health/", "/health/live/x"])
def test_other_pages_keep_to_their_hosts(client: Client, db: None, path: str) -> None:
    assert client.get(path, headers={"host": "10.1.2.3"}).status_code == 400


def test_the_command_says_the_same_and_fails_where_it_is_not_ready(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = StringIO()
    call_command("health", stdout=said)
    assert json.loads(said.getvalue())["status"] == "ready"

    monkeypatch.setattr(readiness, "_ping_database", _ask_nobody)
    with pytest.raises(SystemExit, match="1"):
        call_command("health", stdout=StringIO())
