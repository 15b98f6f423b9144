"""What every place of backups does, held by each: a folder, and rclone's S3 server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from engine.backups import targets
from engine.backups.manifest import BackupError
from engine.backups.s3_target import FOLDERS, S3Target
from engine.backups.targets import FolderTarget, Target
from engine.blobs.interface import BlobStoreError
from engine.blobs.s3_address import S3Address
from engine.blobs.s3_bucket import PART
from tests.peers.fault_proxy import Fault, FaultProxy
from tests.peers.rclone import Rclone

MIB = 1024 * 1024


@pytest.fixture(params=["folder", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """Each place in turn."""
    if request.param == "folder":
        return FolderTarget(tmp_path / "backups")
    return S3Target(S3Address.parse(request.getfixturevalue("bucket").url()))


def chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), MIB):
        yield content[start : start + MIB]


def read_again(target: Target) -> Target:
    """Returns the same place as another process finds it."""
    if isinstance(target, FolderTarget):
        return FolderTarget(Path(target.name))
    assert isinstance(target, S3Target)
    return S3Target(target._bucket._address)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, 2 * PART + 1])
def test_what_was_written_is_read(target: Target, size: int) -> None:
    content = os.urandom(size)
    assert target.size("blobs/bodies/ab/abc") is None

    target.write("blobs/bodies/ab/abc", chunks(content), size=size)

    for place in (target, read_again(target)):
        with place.open("blobs/bodies/ab/abc") as file:
            assert file.read() == content
        assert place.size("blobs/bodies/ab/abc") == size


def test_a_file_is_read_line_by_line(target: Target) -> None:
    lines = [os.urandom(300_000).hex().encode() + b"\n" for _ in range(5)]
    target.write("backups/one/blobs.jsonl", lines)

    with target.open("backups/one/blobs.jsonl") as file:
        assert list(file) == lines


def test_a_later_file_takes_the_place_of_an_earlier(target: Target) -> None:
    target.write("blobs/bodies/ab/abc", [b"earlier"])
    assert target.size("blobs/bodies/ab/abc") == 7

    target.write("blobs/bodies/ab/abc", [b"later", b" on"])

    assert targets.read_all(target, "blobs/bodies/ab/abc") == b"later on"
    assert target.size("blobs/bodies/ab/abc") == 8


def test_what_is_missing_is_said_to_be_missing(target: Target) -> None:
    with pytest.raises(FileNotFoundError):
        target.open("blobs/bodies/ab/abc")
    assert target.size("blobs/bodies/ab/abc") is None
    assert target.backups() == []


@pytest.mark.parametrize("before", [1, 12])
def test_a_source_that_breaks_leaves_what_was_there(
    target: Target, before: int
) -> None:
    def broken() -> Iterator[bytes]:
        yield from chunks(bytes(before * MIB))
        raise OSError("The source broke.")

    target.write("blobs/bodies/ab/abc", [b"earlier"])

    for name in ("blobs/bodies/ab/abc", "blobs/bodies/ab/new"):
        with pytest.raises(OSError, match="The source broke"):
            target.write(name, broken())

    again = read_again(target)
    assert targets.read_all(again, "blobs/bodies/ab/abc") == b"earlier"
    assert again.size("blobs/bodies/ab/new") is None


@pytest.mark.parametrize("fault", [Fault.ERROR_404, Fault.ERROR_503])
def test_a_source_that_breaks_is_told_though_the_store_breaks_too(
    bucket: Rclone, proxy: FaultProxy, fault: Fault
) -> None:
    target = S3Target(S3Address.parse(bucket.url(port=proxy.port, timeout=0.5)))

    def broken() -> Iterator[bytes]:
        yield from chunks(bytes(3 * PART))
        proxy.fault = fault
        raise ValueError("The source broke.")

    with pytest.raises(ValueError, match="The source broke"):
        target.write("blobs/bodies/ab/new", broken())


def test_an_upload_that_the_store_lost_is_no_missing_blob(
    bucket: Rclone, proxy: FaultProxy
) -> None:
    target = S3Target(S3Address.parse(bucket.url(port=proxy.port, timeout=0.5)))
    proxy.fault = Fault.ERROR_404

    for content in (b"x", bytes(2 * PART)):
        with pytest.raises(BlobStoreError, match="lost the upload") as raised:
            target.write("blobs/bodies/ab/new", chunks(content))
        assert not raised.value.is_permanent


def test_only_backups_with_a_manifest_are_complete(target: Target) -> None:
    for name in ("20261129T1", "20261128T9", "20261130T0"):
        target.write(targets.name_in(name, "database/one/toc.dat"), [b"x"])
    for name in ("20261129T1", "20261128T9"):
        target.write(targets.name_in(name, "manifest.json"), [b"{}"])

    assert target.backups() == ["20261128T9", "20261129T1"]


def test_sizes_are_known_in_more_folders_than_are_remembered(target: Target) -> None:
    names = [f"blobs/bodies/{n:02x}/{n:02x}" for n in range(2 * FOLDERS)]
    for number, name in enumerate(names):
        target.write(name, [bytes(number)])

    again = read_again(target)
    for _ in range(2):
        assert [again.size(name) for name in names] == list(range(2 * FOLDERS))


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SILENT, Fault.ERROR_503])
def test_a_fault_of_the_store_is_temporary_and_says_nothing_is_missing(
    bucket: Rclone, proxy: FaultProxy, fault: Fault
) -> None:
    url = bucket.url(port=proxy.port, timeout=0.5)
    target = S3Target(S3Address.parse(url))
    proxy.fault = fault

    for act in (
        lambda: target.write("one", [b"x"]),
        lambda: target.write("two", chunks(bytes(2 * PART))),
        lambda: target.open("one"),
        lambda: target.size("one"),
        target.backups,
    ):
        with pytest.raises(BlobStoreError, match="does not answer") as raised:
            act()
        assert not raised.value.is_permanent


@pytest.mark.parametrize("wrong", [{"bucket": "elsewhere"}, {"secret": "guessed"}])
def test_a_refusal_is_permanent_and_names_the_setting(
    bucket: Rclone, wrong: dict[str, str]
) -> None:
    target = S3Target(S3Address.parse(bucket.url(**wrong)))

    for act in (
        lambda: target.write("one", [b"x"]),
        lambda: target.open("one"),
        lambda: target.size("blobs/bodies/ab/abc"),
        target.backups,
    ):
        with pytest.raises(BlobStoreError, match="POSTERN_BACKUP_TARGET") as raised:
            act()
        assert raised.value.is_permanent
        assert "guessed" not in str(raised.value)


def test_the_setting_names_the_place_unless_an_argument_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackupError, match="set POSTERN_BACKUP_TARGET"):
        targets.open_target()

    monkeypatch.setattr(settings.POSTERN, "backup_target", "s3://k:hidden@ours/at")
    assert targets.open_target().name == "s3://ours/at"
    assert targets.open_target(str(tmp_path)).name == str(tmp_path)
    assert targets.open_target("s3://other/at").name == "s3://other/at"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("s3://k:hidden@bucket/at", "can see the secret"),
        ("s3://", "begins with s3://"),
        ("ftp://host/at", "is no folder"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused(place: str, why: str) -> None:
    with pytest.raises(BackupError, match=why) as raised:
        targets.open_target(place)

    assert raised.value.is_permanent
    assert "hidden" not in str(raised.value)
