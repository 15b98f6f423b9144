"""Copies of remote blobs on this host's disk."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings

from engine.blobs import keys, read_cache
from engine.blobs.interface import Kind
from engine.blobs.s3_store import S3Store
from tests.peers.rclone import Rclone


def put(s3: S3Store, content: bytes) -> str:
    path = settings.POSTERN.path("one")
    path.write_bytes(content)
    key = keys.new(hashlib.sha256(content).hexdigest())
    s3.put(Kind.BODY, key, path)
    return key


def read(s3: S3Store, key: str) -> bytes:
    with s3.open(Kind.BODY, key) as file:
        return file.read()


def cached() -> list[Path]:
    root = settings.POSTERN.path("blob-cache")
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_copy_is_read_without_the_store(s3: S3Store, bucket: Rclone) -> None:
    key = put(s3, b"Minutes")
    bucket.empty()

    assert read(s3, key) == b"Minutes"


def test_losing_the_cache_loses_nothing(s3: S3Store, var: Path) -> None:
    key = put(s3, b"Minutes")
    shutil.rmtree(var / "blob-cache")

    assert read(s3, key) == b"Minutes"
    assert [path.name for path in cached()] == [key]


def test_a_torn_copy_is_read_from_the_store_again(s3: S3Store) -> None:
    key = put(s3, b"Minutes of the meeting")
    [copy] = cached()
    copy.write_bytes(b"Minutes of")

    assert read(s3, key) == b"Minutes of the meeting"


def test_the_bound_holds_and_the_oldest_make_room(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "blob_cache_bytes", 16 * 2_500)
    made = [put(s3, bytes([n]) * 1_000) for n in range(60)]

    for key in made:
        assert len(read(s3, key)) == 1_000
        for folder in settings.POSTERN.path("blob-cache").iterdir():
            assert sum(path.stat().st_size for path in folder.iterdir()) <= 2_500
    assert cached()


@pytest.mark.parametrize("bound", [0, 16 * 100])
def test_what_is_too_large_is_not_kept(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch, bound: int
) -> None:
    monkeypatch.setattr(settings.POSTERN, "blob_cache_bytes", bound)

    key = put(s3, b"x" * 101)

    assert read(s3, key) == b"x" * 101
    assert cached() == []


def test_an_old_copy_goes_when_another_comes() -> None:
    old, new = (keys.new("a" * 63 + digit) for digit in "01")
    for key in (old, new):
        path = settings.POSTERN.path("one")
        path.write_bytes(b"x")
        read_cache.take_over(key, path)
        if key == old:
            [copy] = cached()
            os.utime(copy, (0, 0))

    assert [path.name for path in cached()] == [new]


def test_a_deleted_blob_leaves_no_copy(s3: S3Store) -> None:
    key = put(s3, b"Minutes")

    s3.delete(Kind.BODY, key)

    assert cached() == []


def test_reading_leaves_no_file_behind(s3: S3Store, var: Path) -> None:
    key = put(s3, b"Minutes")
    shutil.rmtree(var / "blob-cache")

    read(s3, key)

    assert os.listdir(var / "spool") == []
