"""A backup in a bucket: made, killed, continued, and restored into an empty host."""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from engine.backups import creation
from engine.backups.models import Problem
from engine.backups.s3_target import S3Target
from engine.blobs.s3_address import S3Address
from engine.health.checks import backups
from engine.registry.models import Person
from tests.engine.backups.conftest import Host
from tests.engine.storage.conftest import deliver
from tests.peers.fault_proxy import Fault, FaultProxy
from tests.peers.rclone import BUCKET, Rclone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(bucket: Rclone) -> S3Target:
    return S3Target(S3Address.parse(bucket.url()))


def delivered(bob: Person, count: int) -> list[bytes]:
    """Delivers messages with bodies outside the database, and returns the bodies."""
    bodies = [os.urandom(60_000).hex().encode() + b"\r\n" for _ in range(count)]
    for body in bodies:
        deliver(bob.mailbox, b"Subject: Large\r\n\r\n" + body)
    return bodies


def copied(bucket: Rclone) -> list[Path]:
    return list(bucket.folder.glob(f"{BUCKET}/mail/blobs/bodies/*/*"))


def digests(paths: list[Path]) -> list[str]:
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


def test_an_empty_host_gets_everything_from_a_bucket(
    bob: Person, bucket: Rclone, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also into a store that is a bucket."""
    bodies = delivered(bob, 3)
    url = bucket.url()
    monkeypatch.setattr(settings.POSTERN, "backup_target", url)

    call_command("backup")
    assert backups.last() is not None
    assert not Problem.objects.exists()

    store = url.replace("/mail?", "/blobs?")
    done = host.run("restore", POSTERN_BACKUP_TARGET=url, POSTERN_BLOB_URL=store)

    assert done.returncode == 0, done.stderr
    assert "3 messages, 3 blobs. The audit chain is intact" in done.stdout
    restored = [p for p in (bucket.folder / BUCKET / "blobs").rglob("*") if p.is_file()]
    expected = sorted(hashlib.sha256(body).hexdigest() for body in bodies)
    assert digests(restored) == digests(copied(bucket)) == expected
    assert list((host.var / "backup").iterdir()) == []


def test_a_killed_backup_is_continued(
    bob: Person, bucket: Rclone, proxy: FaultProxy, target: S3Target, host: Host
) -> None:
    count = 24
    bodies = delivered(bob, count)
    creation.create(target)
    assert host.run("restore", POSTERN_BACKUP_TARGET=bucket.url()).returncode == 0
    bucket.empty()

    # Once the first blobs are there, the others need seconds.
    url = bucket.url(port=proxy.port)
    process = host.start("backup", POSTERN_BACKUP_TARGET=url)
    while len(copied(bucket)) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    proxy.fault, proxy.delay = Fault.SLOW, 1.0
    process.kill()
    process.communicate()
    present = {found["path"] for found in bucket.objects("blobs")}
    assert 2 <= len(present) < count
    assert target.backups() == []

    # What is not what its key says is copied again.
    bucket.bucket.put(min(present), b"damaged")
    done = host.run("backup", POSTERN_BACKUP_TARGET=bucket.url())

    assert done.returncode == 0, done.stderr
    [now] = re.findall(r"of which (\d+) were copied now", done.stdout)
    # The server may have completed a few after the process was gone.
    assert 1 <= int(now) <= count - len(present) + 1
    assert len(target.backups()) == 1
    expected = sorted(hashlib.sha256(body).hexdigest() for body in bodies)
    assert digests(copied(bucket)) == expected


def test_a_damaged_index_is_not_restored_from(
    bob: Person, bucket: Rclone, target: S3Target, host: Host
) -> None:
    delivered(bob, 1)
    name = creation.create(target).manifest.name
    index = bucket.folder / BUCKET / "mail/backups" / name / creation.INDEX
    index.write_bytes(b"")

    done = host.run("restore", POSTERN_BACKUP_TARGET=bucket.url())

    assert done.returncode == 1
    assert "blobs.jsonl is damaged. Restore another backup." in done.stderr
