"""Engines on several hosts with one bucket, and what they do when it is ill."""

from __future__ import annotations

import os
import poplib
import shutil
import smtplib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from engine.blobs import orphan_sweep
from engine.registry.models import Connection, Person
from engine.storage import content, orphaned_files
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests.engine.whole.conftest import SECRET
from tests.next_hop import NextHop
from tests.peers.engine import Engine
from tests.peers.fault_proxy import Fault, FaultProxy
from tests.peers.process import wait_until
from tests.peers.rclone import Rclone

JANE, JANE_HERE = "jane@firm.example", "jane@firm.example.secure.example"
BODY = "".join(f"Page {number:06}\r\n" for number in range(10_000))

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket() -> Iterator[Rclone]:
    with Rclone() as server:
        yield server


@pytest.fixture
def in_bucket(
    transactional_db: None,
    bucket: Rclone,
    proxy: FaultProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The variables of engines that keep blobs in the bucket, and so does the test."""
    url = bucket.url(port=proxy.port, timeout=1)
    monkeypatch.setattr(settings.POSTERN, "blob_url", bucket.url())
    monkeypatch.setattr(settings.POSTERN, "var", tmp_path)
    return {"POSTERN_CLAMD": "off", "POSTERN_BLOB_URL": url}


@pytest.fixture
def host_a(
    in_bucket: dict[str, str], authority: Authority, tmp_path: Path
) -> Iterator[Engine]:
    with Engine(authority, POSTERN_VAR=str(tmp_path / "a"), **in_bucket) as engine:
        yield engine


@pytest.fixture
def host_b(
    in_bucket: dict[str, str], authority: Authority, tmp_path: Path
) -> Iterator[Engine]:
    with Engine(authority, POSTERN_VAR=str(tmp_path / "b"), **in_bucket) as engine:
        yield engine


def letter(recipient: str, name: str = "one") -> str:
    return (
        f"From: <{JANE}>\r\nTo: <{recipient}>\r\nSubject: Bundle\r\n"
        f"Message-ID: <{name}@firm.example>\r\n\r\n{BODY}"
    )


@pytest.fixture
def fetch(authority: Authority, bob: Person) -> Callable[[Engine], str]:
    """Fetches Bob's first message by POP3 and returns its body."""
    context = ssl.create_default_context(cafile=str(authority.ca_file))

    def fetched(engine: Engine) -> str:
        client = poplib.POP3_SSL(
            "localhost", engine.ports["pop3s"], context=context, timeout=60
        )
        try:
            client.user(bob.address)
            client.pass_(SECRET)
            raw = b"\r\n".join(client.retr(1)[1]) + b"\r\n"
            client.quit()
        finally:
            client.close()
        return raw.partition(b"\r\n\r\n")[2].decode()

    return fetched


def test_what_one_host_accepted_is_fetched_and_relayed_by_another(
    bob: Person,
    next_hop: NextHop,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    connect: Callable[[Engine], smtplib.SMTP],
    fetch: Callable[[Engine], str],
    host_a: Engine,
    in_bucket: dict[str, str],
    authority: Authority,
    tmp_path: Path,
    bucket: Rclone,
) -> None:
    with connect(host_a) as client:
        client.sendmail(JANE, bob.address, letter(bob.address))
    next_hop.stop()
    with bobs_client(host_a) as client:
        raw = letter(JANE, "two").replace(f"<{JANE}>", f"<{bob.address}>", 1)
        client.sendmail(bob.address, JANE_HERE, raw)
    host_a.kill()
    # The host and all that was on it.
    shutil.rmtree(tmp_path / "a")
    next_hop.start()

    with Engine(authority, POSTERN_VAR=str(tmp_path / "b"), **in_bucket) as host_b:
        assert fetch(host_b) == BODY
        wait_until(lambda: bool(next_hop.received), "the message at the firm's server")

    received = next_hop.received[0].data
    assert received.partition(b"\r\n\r\n")[2].decode() == BODY
    assert len(bucket.objects("bodies")) == 2


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SILENT, Fault.ERROR_503])
def test_a_store_that_is_ill_defers_mail_and_loses_none(
    bob: Person,
    firm_with_credential: Connection,
    connect: Callable[[Engine], smtplib.SMTP],
    bobs_client: Callable[[Engine], smtplib.SMTP],
    fetch: Callable[[Engine], str],
    host_a: Engine,
    proxy: FaultProxy,
    tmp_path: Path,
    fault: Fault,
) -> None:
    with connect(host_a) as client:
        client.sendmail(JANE, bob.address, letter(bob.address))
        shutil.rmtree(tmp_path / "a" / "blob-cache")
        proxy.fault = fault

        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(JANE, bob.address, letter(bob.address, "two"))
        assert refused.value.smtp_code == 451
        # A small message needs no store.
        client.sendmail(JANE, bob.address, f"From: <{JANE}>\r\n\r\nHello\r\n")
        with pytest.raises(poplib.error_proto, match=r"SYS/TEMP"):
            fetch(host_a)

        proxy.fault = Fault.NONE
        client.sendmail(JANE, bob.address, letter(bob.address, "two"))

    assert fetch(host_a) == BODY
    assert Message.objects.count() == 3
    assert os.listdir(tmp_path / "a" / "spool") == []


def test_a_kill_between_the_upload_and_the_commit_loses_and_doubles_nothing(
    bob: Person,
    firm_with_credential: Connection,
    connect: Callable[[Engine], smtplib.SMTP],
    host_a: Engine,
    bucket: Rclone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = connect(host_a)
    client.mail(JANE)
    client.rcpt(bob.address)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE storage_content IN EXCLUSIVE MODE")
        client.putcmd("data")
        client.getreply()
        client.send(letter(bob.address).encode() + b".\r\n")
        wait_until(lambda: len(bucket.objects("bodies")) == 1, "the upload")
        host_a.kill()
    client.close()
    assert not Message.objects.exists()

    host_a.start()
    with connect(host_a) as again:
        again.sendmail(JANE, bob.address, letter(bob.address))

    [message] = Message.objects.select_related("content")
    assert len(bucket.objects("bodies")) == 2
    monkeypatch.setattr(orphan_sweep, "AGE_SECONDS", -60)
    assert orphaned_files.delete_orphans() == 1
    assert content.read(message).endswith(BODY.encode())
