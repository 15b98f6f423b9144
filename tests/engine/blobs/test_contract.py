"""What every store does, held by each of them: files, and rclone's S3 server."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from engine.blobs import keys
from engine.blobs.interface import BlobStore, Kind


def put(
    store: BlobStore, content: bytes, tmp_path: Path, kind: Kind = Kind.BODY
) -> str:
    path = tmp_path / "spooled"
    path.write_bytes(content)
    key = keys.new(hashlib.sha256(content).hexdigest())
    store.put(kind, key, path)
    assert not path.exists()
    return key


@pytest.mark.parametrize("size", [0, 1, 70_000, 12_000_000])
def test_what_was_put_is_read(either: BlobStore, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)

    key = put(either, content, tmp_path)

    with either.open(Kind.BODY, key) as file:
        assert file.read() == content
        file.seek(size // 2)
        assert file.read() == content[size // 2 :]
    found = either.find(Kind.BODY, key)
    assert found is not None and (found.key, found.size) == (key, size)
    assert either.digest(Kind.BODY, key) == keys.digest_in(key)


def test_a_repeated_put_is_harmless(either: BlobStore, tmp_path: Path) -> None:
    key = put(either, b"Minutes", tmp_path)
    (tmp_path / "again").write_bytes(b"Minutes")

    either.put(Kind.BODY, key, tmp_path / "again")

    with either.open(Kind.BODY, key) as file:
        assert file.read() == b"Minutes"
    assert [one.key for one in either.list(Kind.BODY)] == [key]


@pytest.mark.parametrize("kind", Kind)
def test_what_is_missing_is_said_to_be_missing(either: BlobStore, kind: Kind) -> None:
    key = keys.new("0" * 64)

    for ask in (either.open, either.digest):
        with pytest.raises(FileNotFoundError):
            ask(kind, key)
    assert either.find(kind, key) is None
    either.delete(kind, key)
    assert list(either.list(kind)) == []


def test_what_was_deleted_is_gone(either: BlobStore, tmp_path: Path) -> None:
    key = put(either, b"x", tmp_path)
    either.open(Kind.BODY, key).close()

    either.delete(Kind.BODY, key)
    either.delete(Kind.BODY, key)

    with pytest.raises(FileNotFoundError):
        either.open(Kind.BODY, key)


def test_kinds_do_not_mix(either: BlobStore, tmp_path: Path) -> None:
    key = put(either, b"x", tmp_path, Kind.LETTER)

    assert either.find(Kind.BODY, key) is None
    assert [one.key for one in either.list(Kind.LETTER)] == [key]


def test_keys_are_listed_in_order_from_any_of_them_on(
    either: BlobStore, tmp_path: Path
) -> None:
    names = ["images.png", "images/a.png", "images/b/c.png", "imagesz", "a", "z/z"]
    for name in names:
        (tmp_path / "picture").write_bytes(b"x")
        either.put(Kind.PICTURE, name, tmp_path / "picture")

    assert [one.key for one in either.list(Kind.PICTURE)] == sorted(names)
    for name in [*names, "images/b", "m"]:
        listed = [one.key for one in either.list(Kind.PICTURE, after=name)]
        assert listed == [one for one in sorted(names) if one > name]


@pytest.mark.parametrize("key", ["", "../x", "a/../b", "/etc/passwd", ".x", "a//b"])
def test_a_corrupt_key_is_no_key(either: BlobStore, key: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")

    for kind in (Kind.BODY, Kind.PICTURE):
        with pytest.raises(ValueError, match="not the key"):
            either.open(kind, key)
        with pytest.raises(ValueError, match="not the key"):
            either.put(kind, key, tmp_path / "x")
        with pytest.raises(ValueError, match="not the key"):
            either.delete(kind, key)


def test_a_probe_says_nothing_where_all_is_well(either: BlobStore) -> None:
    either.probe()
