"""Each peer alone: it starts, does its one job, and stops."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import sync_playwright

from portal.demo.certificates import Authority
from tests.peers import chromium
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.postgres import Postgres
from tests.peers.process import wait_until
from tests.peers.redis import Redis
from tests.peers.stunnel import Stunnel
from tests.peers.swaks import swaks, tls_options

pytestmark = pytest.mark.slow

MESSAGE = b"Subject: Bundle\r\nFrom: <jane@firm.example>\r\n\r\nHello\r\n.dotted\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def postfix(authority: Authority) -> Iterator[Postfix]:
    made = authority.issue("mail.firm.example", "localhost")
    with Postfix(
        "firm.example", "jane", cert_file=made.cert_file, key_file=made.key_file
    ) as server:
        yield server


def test_swaks_delivers_to_postfix_over_tls(
    postfix: Postfix, authority: Authority
) -> None:
    before = len(postfix.messages("jane"))

    conversation = swaks(
        postfix.port,
        *tls_options(authority.ca_file),
        sender="bob@other.example",
        recipient="jane@firm.example",
        message=MESSAGE,
    )

    assert conversation.code == 0, conversation.transcript
    kept = postfix.wait_for_messages("jane", before + 1)[-1]
    assert kept.endswith(b"\n\nHello\n.dotted\n")


def test_swaks_refused_says_why(postfix: Postfix) -> None:
    conversation = swaks(
        postfix.port, sender="bob@other.example", recipient="nobody@firm.example"
    )

    assert conversation.code != 0
    assert conversation.refusal.startswith("550 5.1.1")


def test_postfix_stopped_keeps_its_queue(
    postfix: Postfix, authority: Authority
) -> None:
    made = authority.issue("mail.other.example", "localhost")
    with Postfix(
        "other.example", "bob", cert_file=made.cert_file, key_file=made.key_file
    ) as other:
        other.relay_through(
            "localhost",
            postfix.port,
            username="x",
            password="y",
            ca_file=authority.ca_file,
        )
        other.stop()
        other.start()
        before = len(postfix.messages("jane"))
        postfix.stop()
        other.send(
            MESSAGE, sender="bob@other.example", recipients=["jane@firm.example"]
        )
        wait_until(lambda: "Connection refused" in other.queue(), "a deferred message")

        postfix.start()
        other.retry_now()

        assert len(postfix.wait_for_messages("jane", before + 1)) == before + 1


def test_dovecot_keeps_what_postfix_hands_it_through_a_tunnel(
    authority: Authority,
) -> None:
    made = authority.issue("mail.base.example", "localhost")
    with (
        Dovecot() as dovecot,
        Postfix(
            "base.example",
            cert_file=made.cert_file,
            key_file=made.key_file,
            options={
                "virtual_transport": f"lmtp:inet:127.0.0.1:{dovecot.port}",
                "virtual_mailbox_maps": "static:all",
                "smtpd_tls_security_level": "encrypt",
            },
        ) as postfix,
        Stunnel(postfix.port, ca_file=authority.ca_file) as tunnel,
    ):
        command = ["smtp-source", "-d", "-m", "5", "-t", "bob@base.example"]
        subprocess.run([*command, f"127.0.0.1:{tunnel.port}"], check=True)

        wait_until(lambda: dovecot.count() == 5, "five messages")


def test_postgres_keeps_rows_over_a_restart() -> None:
    with Postgres() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept (id int)")
        server.stop()
        server.start()

        with psycopg.connect(server.url) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_chromium_opens_a_page(tmp_path: Path) -> None:
    page_file = tmp_path / "page.html"
    page_file.write_text("<title>Postern</title>")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options())
        page = browser.new_page()
        page.goto(page_file.as_uri())
        title = page.title()
        browser.close()

    assert title == "Postern"


def test_redis_answers_where_it_did_before_it_was_stopped() -> None:
    with Redis() as server:
        server.stop()
        server.start()
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall(b"PING\r\n")
            assert client.recv(16) == b"+PONG\r\n"
