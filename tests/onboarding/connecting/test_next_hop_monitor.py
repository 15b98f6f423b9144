"""The daily check of a connection's next hop."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection

from engine.registry.models import Connection
from onboarding.connecting import emails, next_hop_monitor, tasks
from onboarding.connecting.models import Watch
from portal.demo.certificates import Authority
from tests import factories, jobs
from tests.next_hop import NextHop

MAIL = "mail.firm.example"


@pytest.fixture
def watched(
    firm_connection: Connection,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Connection]:
    """The firm's connection, to a server with a valid certificate."""
    authority = Authority(tmp_path_factory.mktemp("tls"))
    monkeypatch.setattr(settings.POSTERN, "tls_ca_file", str(authority.ca_file))
    monkeypatch.setattr(settings.POSTERN, "tls_cert_file", "")
    own = authority.issue(MAIL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.cert_file, own.key_file)
    hop = NextHop(context=context)
    hop.start()
    firm_connection.next_hop_port = hop.port
    firm_connection.next_hop_tls_name = MAIL
    firm_connection.save()
    jane = factories.make_person(
        "jane@firm.example.secure.example",
        firm_connection.organisation,
        everyday_address="jane@home.example",
    )
    factories.make_administrator(jane)
    yield firm_connection
    hop.stop()


def test_a_good_server_is_noted_and_nobody_is_told(watched: Connection) -> None:
    tasks.watch_connections()
    jobs.run_queued()

    noted = Watch.objects.get()
    assert noted.fault == ""
    assert noted.certificate_ends_at is not None
    assert mail.outbox == []


def test_administrators_are_warned_once_of_a_certificate_that_ends(
    watched: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_hop_monitor, "WARN_BEFORE", timedelta(days=500))

    tasks.watch(watched.pk)
    tasks.watch(watched.pk)

    (notice,) = mail.outbox
    assert notice.to == ["jane@home.example"]
    assert MAIL in notice.subject
    assert f"/organisation/{watched.organisation_id}/connection/" in notice.body


def test_a_server_that_is_gone_is_noted(watched: Connection) -> None:
    watched.next_hop_port = 1
    watched.save()

    tasks.watch(watched.pk)

    assert "does not answer" in Watch.objects.get().fault


def test_a_connection_that_is_gone_is_no_fault(db: None) -> None:
    tasks.watch(999_999)
    tasks.rehearse(999_999)


def test_no_transaction_is_open_while_a_warning_is_scanned(
    transactional_db: None, watched: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_hop_monitor, "WARN_BEFORE", timedelta(days=500))
    warn = emails.warn_of_expiry
    inside = []

    def note(*arguments: Any, **named: Any) -> None:
        inside.append(connection.in_atomic_block)
        warn(*arguments, **named)

    monkeypatch.setattr(emails, "warn_of_expiry", note)

    tasks.watch(watched.pk)

    assert inside == [False]
