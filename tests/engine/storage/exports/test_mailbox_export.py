from __future__ import annotations

import contextlib
import hashlib
import json
import mailbox as standard
import os
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage.exports import mailbox_export, mbox
from engine.storage.models import Export, ExportStatus, Folder, FolderRole
from engine.storage.standard_folders import folder
from tests.engine.storage.conftest import compose_message, deliver


@contextlib.contextmanager
def opened(made: Export) -> Iterator[zipfile.ZipFile]:
    with mailbox_export.open_copy(made) as file, zipfile.ZipFile(file) as archive:
        yield archive


def test_a_copy_holds_every_message_and_says_what_it_holds(
    mailbox: Mailbox, bob: Person, tmp_path: Path
) -> None:
    deliver(mailbox, compose_message(text="From here on\n>From there on\n"))
    deliver(mailbox, compose_message(subject="Lunch"), sender="")

    mailbox_export.write(mailbox_export.start(mailbox, folder=None, by=bob))

    made = Export.objects.get()
    assert (made.status, made.done, made.total) == (ExportStatus.READY, 2, 2)
    with opened(made) as archive:
        archive.extractall(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["mailbox"] == bob.address
    for file in manifest["files"]:
        octets = (tmp_path / file["file"]).read_bytes()
        assert hashlib.sha256(octets).hexdigest() == file["sha256"]
    inbox = standard.mbox(tmp_path / manifest["files"][0]["file"])
    assert [message["Subject"] for message in inbox] == ["Hearing on Monday", "Lunch"]
    assert ">From here on" in inbox[0].get_payload()
    assert inbox[1].get_from().startswith("MAILER-DAEMON ")
    inbox.close()


def test_one_folder_can_be_copied_alone(mailbox: Mailbox, bob: Person) -> None:
    deliver(mailbox)

    made = mailbox_export.start(
        mailbox, folder=folder(mailbox, FolderRole.SENT), by=bob
    )
    mailbox_export.write(made)

    assert Export.objects.get().done == 0


def test_one_copy_is_made_at_a_time_and_each_is_on_record(
    mailbox: Mailbox, bob: Person
) -> None:
    first = mailbox_export.start(mailbox, folder=None, by=bob)

    with pytest.raises(PolicyError, match="being exported already"):
        mailbox_export.start(mailbox, folder=None, by=bob)
    mailbox_export.write(first)
    mailbox_export.start(mailbox, folder=None, by=bob)

    assert Entry.objects.filter(event="mailbox.exported").count() == 2


def test_a_copy_that_stands_still_is_begun_again_and_in_the_end_given_up(
    mailbox: Mailbox, bob: Person
) -> None:
    made = mailbox_export.start(mailbox, folder=None, by=bob)
    assert mailbox_export.clean_up() == []

    Export.objects.update(moved_at=timezone.now() - timedelta(hours=1))
    assert mailbox_export.clean_up() == [made.pk]

    Export.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert mailbox_export.clean_up() == []
    assert Export.objects.get().status == ExportStatus.FAILED


def test_a_copy_is_removed_after_some_days(mailbox: Mailbox, bob: Person) -> None:
    made = mailbox_export.start(mailbox, folder=None, by=bob)
    mailbox_export.write(made)
    Export.objects.update(finished_at=timezone.now() - timedelta(days=4))
    made.refresh_from_db()
    mailbox_export.open_copy(made).close()

    mailbox_export.clean_up()

    with pytest.raises(FileNotFoundError):
        mailbox_export.open_copy(made)
    assert Export.objects.get().status == ExportStatus.GONE


def test_two_workers_at_one_copy_do_not_spoil_it(
    mailbox: Mailbox, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(mailbox)
    made = mailbox_export.start(mailbox, folder=None, by=bob)
    messages_of = mbox.messages_of

    def meanwhile(of: Folder, *, after: int) -> Iterator[tuple[int, bytes]]:
        with monkeypatch.context() as other:
            other.setattr(mbox, "messages_of", messages_of)
            assert not mailbox_export.write(made)
        yield from messages_of(of, after=after)

    monkeypatch.setattr(mbox, "messages_of", meanwhile)
    mailbox_export.write(made)

    made.refresh_from_db()
    with opened(made) as archive:
        assert archive.testzip() is None
    assert not list(settings.POSTERN.path("exporting").iterdir())


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of two messages."""
    monkeypatch.setattr(mailbox_export, "SLICE", 2)


def subjects(made: Export, into: Path) -> list[str]:
    """Returns the subjects of all messages in the copy; checks the digests."""
    with opened(made) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(set(archive.namelist()))
        archive.extractall(into)
    found = []
    for file in json.loads((into / "manifest.json").read_text())["files"]:
        octets = (into / file["file"]).read_bytes()
        assert hashlib.sha256(octets).hexdigest() == file["sha256"]
        box = standard.mbox(into / file["file"])
        assert len(box) == file["messages"]
        found += [message["Subject"] for message in box]
        box.close()
    return found


def test_a_large_copy_is_written_in_slices_and_says_how_far_it_is(
    mailbox: Mailbox, bob: Person, tmp_path: Path, small_slices: None
) -> None:
    names = [f"Letter {number}" for number in range(5)]
    for name in names:
        deliver(mailbox, compose_message(subject=name))
    made = mailbox_export.start(mailbox, folder=None, by=bob)

    assert mailbox_export.write(made)
    made.refresh_from_db()
    assert (made.status, made.done, made.total) == (ExportStatus.WRITING, 2, 5)
    while mailbox_export.write(made):
        pass

    made.refresh_from_db()
    assert (made.status, made.done) == (ExportStatus.READY, 5)
    assert subjects(made, tmp_path) == names
    assert not mailbox_export.write(made)
    assert not list(settings.POSTERN.path("exporting").iterdir())


class PowerCut(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", range(6))
def test_a_copy_whose_worker_dies_at_any_message_goes_on_where_it_was(
    mailbox: Mailbox,
    bob: Person,
    tmp_path: Path,
    small_slices: None,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    names = [f"Letter {number}" for number in range(5)]
    for name in names:
        deliver(mailbox, compose_message(subject=name))
    made = mailbox_export.start(mailbox, folder=None, by=bob)
    left = iter(range(after))
    count = mailbox_export._Slice._count

    def die(self: mailbox_export._Slice, message_id: int, octets: int) -> None:
        if next(left, None) is None:
            raise PowerCut
        count(self, message_id, octets)

    with monkeypatch.context() as dying:
        dying.setattr(mailbox_export._Slice, "_count", die)
        with contextlib.suppress(PowerCut):
            while mailbox_export.write(made):
                pass
    made.refresh_from_db()
    part = settings.POSTERN.path("exporting", f"{made.token}.part")
    if part.exists():
        # An unfinished slice of the dead process, which is discarded.
        with part.open("ab") as file:
            file.write(b"half a message")
    while mailbox_export.write(made):
        pass

    made.refresh_from_db()
    assert (made.status, made.done) == (ExportStatus.READY, 5)
    assert subjects(made, tmp_path) == names


def test_a_copy_whose_worker_dies_before_it_says_that_it_is_ready(
    mailbox: Mailbox, bob: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(mailbox, compose_message(subject="Lunch"))
    made = mailbox_export.start(mailbox, folder=None, by=bob)

    def die(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as dying, pytest.raises(PowerCut):
        dying.setattr(mailbox_export, "_finish", die)
        mailbox_export.write(made)
    mailbox_export.write(made)

    made.refresh_from_db()
    assert (made.status, made.done) == (ExportStatus.READY, 1)
    assert subjects(made, tmp_path) == ["Lunch"]


def test_what_a_dead_worker_began_is_removed(mailbox: Mailbox, bob: Person) -> None:
    made = mailbox_export.start(mailbox, folder=None, by=bob)
    mailbox_export.write(made)
    left = settings.POSTERN.path("exporting", f"{made.token}.begun.part")
    left.write_bytes(b"PK")
    os.utime(left, (0, 0))

    mailbox_export.clean_up()

    assert not left.exists()
    made.refresh_from_db()
    mailbox_export.open_copy(made).close()
