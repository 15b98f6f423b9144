"""A backup of a serving host, restored into an empty one."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from engine.backups import creation, prepare_restored
from engine.backups.models import Problem, Restore
from engine.backups.targets import FolderTarget
from engine.blobs import deletion_pause, store
from engine.blobs.interface import BlobStoreError, Kind
from engine.blobs.models import DeletionPause
from engine.database import clock
from engine.health.checks import backups
from engine.management import startup_checks
from engine.queue.models import (
    Hold,
    QueuedMessage,
    Recipient,
    RecipientStatus,
    Source,
)
from engine.registry.models import Connection, Person
from engine.storage import message_actions, tasks
from engine.storage.models import Content, Message
from portal.sessions.models import WebSession
from tests.engine.backups.conftest import Host
from tests.engine.storage.conftest import deliver

LARGE = b"A line of a large body.\r\n" * 5_000

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(tmp_path: Path) -> FolderTarget:
    return FolderTarget(tmp_path / "backups")


@pytest.fixture
def large(bob: Person) -> Message:
    """A message to Bob whose body is outside the database."""
    return deliver(bob.mailbox, b"Subject: Large\r\n\r\n" + LARGE)


def queue(row: Content, destination: str, **over: object) -> Recipient:
    """Queues a message to Jane for a destination."""
    message = QueuedMessage.objects.create(
        reference=f"reference-{destination}",
        content=row,
        sender="bob@northfield.secure.example",
        source=Source.WEBMAIL,
        expires_at=clock.now() + timedelta(days=2),
    )
    fields = {"address": "jane@firm.example.secure.example"} | over
    return Recipient.objects.create(message=message, destination=destination, **fields)


def blob_path(root: Path, message: Message) -> Path:
    key = message.content.blob_key
    return root / "blobs" / key[:2] / key


def test_an_empty_host_gets_everything_and_sends_nothing_again(
    bob: Person,
    large: Message,
    firm_connection: Connection,
    target: FolderTarget,
    host: Host,
) -> None:
    deliver(bob.mailbox)
    lost = deliver(bob.mailbox, b"Subject: Lost\r\n\r\n" + LARGE)
    queue(large.content, f"connection:{firm_connection.pk}")
    queue(large.content, "mailbox:7")
    WebSession.objects.create(session_key="k", expire_date=clock.now())
    store.delete(Kind.BODY, lost.content.blob_key)

    result = creation.create(target)
    done = host.run("restore", target.name)

    assert result.manifest.missing == 1
    assert done.returncode == 0, done.stderr
    assert "3 messages, 1 blobs. The audit chain is intact" in done.stdout
    assert "1 recipients of outgoing mail are held" in done.stdout
    assert "bob@northfield.secure.example: message" in done.stdout
    assert f"message {lost.pk} of" in done.stdout
    assert blob_path(host.var, large).read_bytes() == LARGE
    assert host.rows(
        "SELECT destination, status, hold FROM queue_recipient ORDER BY id"
    ) == [
        (f"connection:{firm_connection.pk}", "held", "restore"),
        ("mailbox:7", "queued", ""),
    ]
    assert host.rows("SELECT count(*) FROM web_sessions_websession") == [(0,)]
    assert host.rows(
        "SELECT session_generation FROM registry_person"
        " WHERE address = 'bob@northfield.secure.example'"
    ) == [(1,)]
    [(event,)] = host.rows("SELECT event FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert event == "service.restored"

    again = host.run("restore", target.name)
    assert again.returncode == 1
    assert "The database is not empty" in again.stderr


def test_a_second_backup_copies_only_what_is_new(
    bob: Person, large: Message, target: FolderTarget
) -> None:
    assert creation.create(target).copied == 1
    deliver(bob.mailbox, b"Subject: New\r\n\r\n" + LARGE + b"more")

    result = creation.create(target)

    assert (result.manifest.blobs, result.copied) == (2, 1)
    assert len(target.backups()) == 2


def test_an_interrupted_backup_is_continued(
    large: Message, target: FolderTarget
) -> None:
    """What it copied is verified by its digest, since no index says so."""
    first = creation.create(target).manifest
    folder = Path(target.name)
    (folder / "backups" / first.name / "manifest.json").unlink()
    assert target.backups() == []

    assert creation.create(target).copied == 0

    [copy] = list(folder.rglob("blobs/bodies/*/*"))
    copy.write_bytes(LARGE[:-1] + b"x")
    for name in target.backups():
        (folder / "backups" / name / "manifest.json").unlink()
    assert creation.create(target).copied == 1
    assert copy.read_bytes() == LARGE


def test_nothing_that_a_backup_refers_to_is_deleted_meanwhile(large: Message) -> None:
    path = blob_path(settings.POSTERN.path(), large)
    with deletion_pause.held():
        message_actions.erase([large.pk])
        os.utime(path, (0, 0))
        tasks.sweep_files()
        assert path.exists()

    tasks.sweep_files()
    assert not path.exists()


def test_a_pause_that_expired_fails_the_backup(db: None) -> None:
    with deletion_pause.held() as pause:
        pause.check()
        DeletionPause.objects.update(until=clock.now() - timedelta(seconds=1))

        with pytest.raises(deletion_pause.PauseLostError):
            pause.check()


def test_a_damaged_dump_is_not_loaded(
    large: Message, target: FolderTarget, host: Host
) -> None:
    manifest = creation.create(target).manifest
    folder = Path(target.name, "backups", manifest.name)
    dump = max((folder / "database").rglob("*.*"), key=lambda path: path.stat().st_size)
    dump.write_bytes(dump.read_bytes()[:-1])

    done = host.run("restore", target.name)

    assert done.returncode == 1
    assert "is damaged. Restore another backup." in done.stderr


def test_a_backup_of_a_later_version_is_refused(
    db: None, target: FolderTarget, host: Host
) -> None:
    manifest = creation.create(target).manifest
    path = Path(target.name, "backups", manifest.name, "manifest.json")
    document = json.loads(path.read_text())
    document["migrations"].append("queue.9999_later")
    path.write_text(json.dumps(document))

    done = host.run("restore", target.name)

    assert done.returncode == 1
    assert "made by a later version: it has queue.9999_later" in done.stderr


def test_success_and_failure_show_in_health(
    db: None, target: FolderTarget, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="The backup failed"):
        call_command("backup", str(tmp_path / "file"))
    assert Problem.objects.exists()
    assert backups.last() is None

    call_command("backup", target.name)

    assert not Problem.objects.exists()
    assert backups.last() is not None


def test_a_lost_blob_makes_the_backup_incomplete(
    large: Message, target: FolderTarget
) -> None:
    store.delete(Kind.BODY, large.content.blob_key)

    with pytest.raises(CommandError, match="has lost 1 blobs"):
        call_command("backup", target.name)

    assert Problem.objects.get().is_permanent
    assert backups.last() is not None


def test_a_blob_that_the_store_finds_damaged_stops_no_backup(
    large: Message, target: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BlobStoreError("Its SHA-256 is another one.", is_permanent=True)

    monkeypatch.setattr(store, "open_blob", refuse)
    assert creation.create(target).manifest.damaged == 1

    monkeypatch.setattr(store, "exists", refuse)
    with pytest.raises(BlobStoreError):
        creation.create(target)


def test_a_restore_that_is_not_complete_stops_every_start(db: None) -> None:
    now = clock.now()
    Restore.objects.create(name="one", taken_at=now, began_at=now)

    with pytest.raises(ImproperlyConfigured, match="restore of backup one"):
        startup_checks.check(scans=False)


@pytest.mark.parametrize(
    ("choice", "status"),
    [("--release", RecipientStatus.QUEUED), ("--drop", RecipientStatus.DROPPED)],
)
def test_all_held_mail_is_released_or_dropped_without_a_notice(
    large: Message, choice: str, status: RecipientStatus
) -> None:
    held = {"status": RecipientStatus.HELD, "hold": Hold.RESTORE}
    row = queue(large.content, "connection:1", **held)

    call_command("settle_restored", choice)

    row.refresh_from_db()
    assert (row.status, row.hold) == (status, "")
    assert QueuedMessage.objects.count() == 1


def test_ids_that_may_have_been_given_out_are_skipped(bob: Person) -> None:
    before = deliver(bob.mailbox)

    prepare_restored.prepare("one", clock.now())

    assert deliver(bob.mailbox).pk > before.pk + 1_000_000
