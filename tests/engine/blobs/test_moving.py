"""Moving a live service from files to S3 and back."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import BinaryIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from engine.blobs import local_store, moving, store
from engine.blobs.interface import BlobStore, BlobStoreError, Kind
from engine.blobs.local_store import LocalStore
from engine.blobs.s3_store import S3Store
from engine.database import clock
from engine.health.models import Heartbeat
from tests.peers.fault_proxy import Fault, FaultProxy
from tests.peers.rclone import Rclone

Kept = dict[tuple[Kind, str], bytes]
OLD_KEY = "0123456789abcdef0123456789abcdef"


def configure(monkeypatch: pytest.MonkeyPatch, first: str, second: str = "") -> None:
    monkeypatch.setattr(settings.POSTERN, "blob_url", first)
    monkeypatch.setattr(settings.POSTERN, "blob_second_url", second)


def fill(count: int) -> Kept:
    """Stores blobs of every kind; returns what each holds."""
    contents = [(kind, os.urandom(100)) for kind in Kind for _ in range(count)]
    return {(kind, store.keep(kind, content)): content for kind, content in contents}


def move() -> str:
    said = StringIO()
    call_command("move_blobs", stdout=said)
    return said.getvalue()


def use(kept: Kept, has_ended: threading.Event) -> None:
    """Reads, writes and erases, as the service does while blobs are moved."""
    for each in [key for key in kept if key[1] != OLD_KEY][::7]:
        store.configured().delete(*each)
        del kept[each]
    while not has_ended.is_set():
        for each in kept:
            assert store.read(*each) == kept[each]
        kept.update(fill(1) if len(kept) < 150 else {})


@pytest.mark.django_db
def test_there_and_back_with_blobs_coming_and_going(
    bucket: Rclone, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = fill(20)
    path = settings.POSTERN.path("blobs", OLD_KEY[:2], OLD_KEY)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"From an earlier version")
    kept[Kind.BODY, OLD_KEY] = b"From an earlier version"

    for first, second in [(bucket.url(), "files"), ("files", bucket.url())]:
        configure(monkeypatch, first, second)
        has_ended = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            traffic = pool.submit(use, kept, has_ended)
            try:
                assert "Everything is moved" in move()
            finally:
                has_ended.set()
            traffic.result()

        configure(monkeypatch, first)
        assert all(store.read(*key) == content for key, content in kept.items())
        listed = {(kind, one.key) for kind in Kind for one in store.listing(kind)}
        assert listed == set(kept)
    assert bucket.objects() == []


@pytest.mark.django_db
def test_a_move_that_was_cut_off_is_repeated(
    bucket: Rclone,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = fill(10)
    configure(monkeypatch, bucket.url(port=proxy.port, timeout=0.5), "files")

    def cut(moved: moving.Moved) -> None:
        if moved.count == 5:
            proxy.fault = Fault.CUT

    pair = store.configured()
    with pytest.raises(BlobStoreError):
        moving.move(Kind.BODY, source=pair.second, target=pair.first, report=cut)
    assert len(list(pair.second.list(Kind.BODY))) == 5
    with pytest.raises(CommandError, match="Run the command again"):
        move()

    proxy.fault = Fault.NONE
    assert "bodies: 5 moved" in move()

    assert all(store.read(*key) == content for key, content in kept.items())


@pytest.mark.django_db
def test_a_damaged_blob_stays_and_is_named(
    bucket: Rclone, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = (store.keep(Kind.BODY, content) for content in (b"good", b"bad"))
    local_store.path_of(Kind.BODY, bad).write_bytes(b"worse")
    configure(monkeypatch, bucket.url(), "files")

    with pytest.raises(CommandError, match=f"bodies/{bad}"):
        move()

    assert [one.key for one in LocalStore().list(Kind.BODY)] == [bad]
    assert store.read(Kind.BODY, good) == b"good"


class Slow(LocalStore):
    """Another run moves each blob while this one has it open."""

    def __init__(self, target: BlobStore) -> None:
        self.target = target

    def open(self, kind: Kind, key: str) -> BinaryIO:
        file = super().open(kind, key)
        moving.move(
            kind, source=LocalStore(), target=self.target, report=lambda _: None
        )
        return file


def test_two_runs_at_once_lose_nothing(s3: S3Store) -> None:
    key = store.keep(Kind.BODY, b"Minutes")

    moving.move(Kind.BODY, source=Slow(s3), target=s3, report=lambda _: None)

    with s3.open(Kind.BODY, key) as file:
        assert file.read() == b"Minutes"


@pytest.mark.django_db
def test_a_process_that_does_not_know_both_stores_stops_the_move(
    bucket: Rclone, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, bucket.url(), "files")
    first, second = store.identities()
    now = clock.now()
    beat = Heartbeat.objects.create(
        kind="web",
        host="mail2",
        pid=7,
        started_at=now,
        at=now,
        facts={"blobs_in": second, "blobs_also_in": first},
    )

    with pytest.raises(CommandError, match="web 7 on mail2 would not find"):
        move()

    beat.facts = {"blobs_in": first, "blobs_also_in": second}
    beat.save()
    move()


def test_without_a_second_store_nothing_is_moved() -> None:
    with pytest.raises(CommandError, match="POSTERN_BLOB_SECOND_URL"):
        move()
