"""Checkpoints are signed when they are due, and sent out of reach."""

from __future__ import annotations

import json
import subprocess
import threading
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command

from engine.audit import tasks
from engine.audit.checkpoints import (
    http_post,
    making,
    signing_keys,
    statements,
    time_stamps,
    verification,
)
from engine.audit.checkpoints.time_stamps import TimeStampError
from engine.audit.checkpoints.time_stamps import verify as verify_time_stamp
from engine.audit.models import ChainEnd, Checkpoint, Entry
from engine.audit.record import record
from engine.database import clock
from engine.health.checks import audit_trail
from engine.health.checks.findings import CheckContext
from portal.console.operations import secret_key_rotation
from tests import factories
from tests.peers.time_stamps import Authority, authority

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> Entry:
    return record("organisation.added", factories.make_organisation(), by=None)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "checkpoints.jsonl"
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_file", str(path))
    return path


@pytest.fixture
def stamping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    with authority(tmp_path) as ours:
        monkeypatch.setattr(settings.POSTERN, "audit_tsa_url", ours.url)
        monkeypatch.setattr(settings.POSTERN, "audit_tsa_ca_file", str(ours.root))
        yield ours


class Receiver:
    """A web server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.status, self.bodies = 204, list[bytes]()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                receiver.bodies.append(self.rfile.read(length))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=abc"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    found = Receiver()
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_url", found.url)
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def test_a_checkpoint_is_made_at_once_then_every_hour(entry: Entry) -> None:
    tasks.make_checkpoint()
    tasks.make_checkpoint()
    assert Checkpoint.objects.count() == 1

    Checkpoint.objects.update(at=clock.now() - timedelta(minutes=61))
    tasks.make_checkpoint()
    assert Checkpoint.objects.count() == 2


def test_a_checkpoint_is_made_after_a_thousand_entries(entry: Entry) -> None:
    tasks.make_checkpoint()

    ChainEnd.objects.update(length=1_000)
    tasks.make_checkpoint()
    assert Checkpoint.objects.count() == 1
    ChainEnd.objects.update(length=1_001)
    tasks.make_checkpoint()

    assert [row.length for row in Checkpoint.objects.all()] == [1_001, 1]


def test_a_checkpoint_that_a_clock_ahead_has_dated_stops_no_other(entry: Entry) -> None:
    tasks.make_checkpoint()
    Checkpoint.objects.update(at=clock.now() + timedelta(days=2))

    tasks.make_checkpoint()

    assert Checkpoint.objects.count() == 2


def test_a_stranger_verifies_a_checkpoint_with_openssl(
    entry: Entry, file: Path, tmp_path: Path
) -> None:
    said = StringIO()
    call_command("audit_key", stdout=said)
    tasks.make_checkpoint()
    line = json.loads(file.read_text())
    for name, octets in (
        ("key.pem", said.getvalue().encode()),
        ("statement", line["statement"].encode()),
        ("signature", b64decode(line["signature"])),
    ):
        (tmp_path / name).write_bytes(octets)

    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem"]
    command += ["-rawin", "-in", "statement", "-sigfile", "signature"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    facts = json.loads(line["statement"])
    assert (facts["length"], facts["digest"]) == (1, Entry.objects.first().digest)


def test_a_checkpoint_goes_to_a_file_addresses_and_a_url_once(
    entry: Entry, file: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = ["records@court.test", "auditor@bank.test"]
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_addresses", to)

    tasks.make_checkpoint()
    tasks.make_checkpoint()

    message, other = mail.outbox
    assert [message.to, other.to] == [[one] for one in to]
    assert Entry.objects.first().digest in message.body
    [(name, attached, _)] = message.attachments
    attached = attached.encode() if isinstance(attached, str) else attached
    assert name == "checkpoint-1.jsonl"
    assert attached == file.read_bytes() == receiver.bodies[0]
    assert len(receiver.bodies) == 1
    assert statements.from_line(attached).length == 1
    assert file.stat().st_mode & 0o077 == 0


def test_an_address_that_is_refused_repeats_no_mail_to_the_others(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = ["gone@court.test", "auditor@bank.test"]
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_addresses", to)
    send = mail.EmailMessage.send

    def refuse_one(self: mail.EmailMessage) -> int:
        if self.to == to[:1]:
            raise OSError("550 5.1.1 There is no such address")
        return send(self)

    monkeypatch.setattr(mail.EmailMessage, "send", refuse_one)

    for _ in range(2):
        with pytest.raises(OSError, match="no such address"):
            tasks.make_checkpoint()

    assert [message.to for message in mail.outbox] == [to[1:]]


def test_a_place_that_fails_stops_no_other_and_is_tried_again(
    entry: Entry, file: Path, receiver: Receiver
) -> None:
    receiver.status = 503
    with pytest.raises(http_post.PostError, match=r"127\.0\.0\.1 answered 503"):
        tasks.make_checkpoint()
    assert file.exists()

    receiver.status = 200
    making.make()
    tasks.make_checkpoint()

    assert len(receiver.bodies[-1].splitlines()) == 2
    assert len(file.read_text().splitlines()) == 2


def test_a_line_that_was_cut_off_spoils_no_other(entry: Entry, file: Path) -> None:
    file.write_bytes(b'{"signature": "cut o')

    tasks.make_checkpoint()

    _, second = file.read_bytes().splitlines()
    assert statements.from_line(second).length == 1


def test_checkpoints_carry_the_time_stamp_of_an_authority(
    entry: Entry, file: Path, stamping: Authority
) -> None:
    tasks.make_checkpoint()
    tasks.make_checkpoint()

    found = statements.from_line(file.read_bytes())
    verify_time_stamp(found.time_stamp, found.signature)
    assert stamping.requests == 1
    assert verification.verify([str(file)]).problems == []
    other = signing_keys.sign(signing_keys.current(), b"something else")
    with pytest.raises(TimeStampError):
        verify_time_stamp(found.time_stamp, other)


def test_a_time_stamp_of_another_checkpoint_is_named(
    entry: Entry, stamping: Authority
) -> None:
    tasks.make_checkpoint()
    stamped = Checkpoint.objects.get()
    making.make()
    Checkpoint.objects.update(time_stamp=stamped.time_stamp)

    [[kind, text, _]] = verification.verify().problems

    assert kind == "forged"
    assert "The time stamp does not verify" in text


@pytest.mark.parametrize("days", [-3, 3])
def test_a_checkpoint_that_was_dated_back_or_ahead_is_named_by_its_stamp(
    entry: Entry, stamping: Authority, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        then = clock.now() + timedelta(days=days)
        patch.setattr(clock, "now", lambda: then)
        made = making.make()
    made.time_stamp = time_stamps.request(made.signature)
    made.save()

    [[kind, text, _]] = verification.verify().problems

    assert kind == "forged"
    assert "says that it was signed at another time" in text


def test_an_authority_that_is_away_delays_no_checkpoint(
    entry: Entry, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "audit_tsa_url", "http://127.0.0.1:9/")

    with pytest.raises(TimeStampError, match="cannot be reached"):
        tasks.make_checkpoint()

    assert statements.from_line(file.read_bytes()).time_stamp == ""


def test_a_rotated_key_signs_and_the_one_before_verifies(entry: Entry) -> None:
    said = StringIO()
    tasks.make_checkpoint()
    call_command("audit_key", "--rotate", stdout=said)
    making.make()

    assert said.getvalue().count("BEGIN PUBLIC KEY") == 2
    assert signing_keys.from_pem(said.getvalue().encode()) == signing_keys.known()
    keys = {json.loads(row.statement)["key"] for row in Checkpoint.objects.all()}
    assert len(keys) == 2
    assert verification.verify().problems == []
    # The retired key signed the entry that names its successor.
    introduced = Entry.objects.get(event="audit.key_replaced")
    assert introduced.detail == {"public_key": signing_keys.current().public_key}
    by = {
        json.loads(row.statement)["key"]
        for row in Checkpoint.objects.filter(digest=introduced.digest)
    }
    assert by == keys


def test_the_private_key_follows_the_secret_key(entry: Entry, settings: Any) -> None:
    tasks.make_checkpoint()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key" * 4

    secret_key_rotation.rekey()
    settings.SECRET_KEY_FALLBACKS = []

    making.make()
    assert verification.verify().problems == []


def test_an_alarm_says_that_the_trail_is_not_signed_any_more(entry: Entry) -> None:
    context = CheckContext(clock.now(), [], 60.0)
    assert list(audit_trail.check(context)) == []
    tasks.make_checkpoint()
    Checkpoint.objects.update(at=clock.now() - timedelta(hours=4))

    [found] = audit_trail.check(context)

    assert found.rule == "audit_checkpoint"


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "1", "null", '{"type":"postern-audit-checkpoint/1"}', "[" * 5_000],
)
def test_what_is_no_statement_is_said_to_be_none(text: str) -> None:
    with pytest.raises(statements.StatementError):
        statements.parse(text, "")
    with pytest.raises(statements.StatementError):
        statements.from_line(text.encode())
