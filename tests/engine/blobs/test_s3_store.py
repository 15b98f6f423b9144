"""The S3 store when its server, or the way to it, is ill."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine.blobs import keys
from engine.blobs.interface import BlobDamagedError, BlobStoreError, Kind
from engine.blobs.s3_address import S3Address
from engine.blobs.s3_bucket import PART
from engine.blobs.s3_store import S3Store
from tests.peers.fault_proxy import Fault, FaultProxy
from tests.peers.process import free_port
from tests.peers.rclone import Rclone

FAULTS = [Fault.SILENT, Fault.CUT, Fault.CUT_REPLY, Fault.ERROR_500, Fault.ERROR_503]


def spooled(tmp_path: Path, content: bytes) -> tuple[str, Path]:
    path = tmp_path / "spooled"
    path.write_bytes(content)
    return keys.new(hashlib.sha256(content).hexdigest()), path


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_in_a_temporary_error_that_names_the_store(
    faulty: S3Store, proxy: FaultProxy, tmp_path: Path, fault: Fault
) -> None:
    key, path = spooled(tmp_path, b"x" * 100_000)
    proxy.fault = fault

    for act in (
        lambda: faulty.put(Kind.BODY, key, path),
        lambda: faulty.open(Kind.BODY, key),
        lambda: faulty.find(Kind.BODY, key),
        lambda: faulty.delete(Kind.BODY, key),
        lambda: list(faulty.list(Kind.BODY)),
        faulty.probe,
    ):
        with pytest.raises(BlobStoreError, match="s3://postern/mail") as raised:
            act()
        assert not raised.value.is_permanent
        assert "secret" not in str(raised.value)
    # Still the caller's, so that nothing is lost with an upload that failed.
    assert path.read_bytes() == b"x" * 100_000


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_REPLY, Fault.ERROR_503])
@pytest.mark.parametrize("size", [100_000, 2 * PART + 1])
def test_a_short_fault_is_ridden_out(
    bucket: Rclone, proxy: FaultProxy, tmp_path: Path, fault: Fault, size: int
) -> None:
    store = S3Store(S3Address.parse(bucket.url(port=proxy.port, timeout=20)))
    content = os.urandom(size)
    key, path = spooled(tmp_path, content)
    proxy.fault = fault
    mend = threading.Timer(0.2, setattr, (proxy, "fault", Fault.NONE))
    mend.start()

    store.put(Kind.QUARANTINE, key, path)

    mend.join()
    with store.open(Kind.QUARANTINE, key) as file:
        assert file.read() == content


def test_a_slow_store_is_waited_for(
    bucket: Rclone, proxy: FaultProxy, tmp_path: Path
) -> None:
    store = S3Store(S3Address.parse(bucket.url(port=proxy.port, timeout=20)))
    key, path = spooled(tmp_path, b"x" * 300_000)
    proxy.fault, proxy.delay = Fault.SLOW, 0.05

    store.put(Kind.QUARANTINE, key, path)

    assert store.digest(Kind.QUARANTINE, key) == keys.digest_in(key)


def test_a_missing_bucket_is_no_missing_message(bucket: Rclone, tmp_path: Path) -> None:
    store = S3Store(S3Address.parse(bucket.url(bucket="elsewhere")))
    key, path = spooled(tmp_path, b"x")

    for act in (
        lambda: store.put(Kind.BODY, key, path),
        lambda: store.open(Kind.BODY, key),
        lambda: store.find(Kind.BODY, key),
        lambda: list(store.list(Kind.BODY)),
        store.probe,
    ):
        with pytest.raises(BlobStoreError, match="POSTERN_BLOB_URL") as raised:
            act()
        assert raised.value.is_permanent


def test_missing_authorities_are_no_missing_message(
    bucket: Rclone, tmp_path: Path
) -> None:
    address = S3Address.parse(bucket.url())

    with pytest.raises(BlobStoreError, match="POSTERN_BLOB_URL") as raised:
        S3Store(replace(address, ca=str(tmp_path / "ca.pem")))

    assert raised.value.is_permanent
    assert "ca.pem" in str(raised.value)


def test_a_wrong_secret_is_a_permanent_fault(bucket: Rclone, tmp_path: Path) -> None:
    store = S3Store(S3Address.parse(bucket.url(secret="guessed")))
    key, path = spooled(tmp_path, b"x")

    for act in (
        lambda: store.put(Kind.BODY, key, path),
        lambda: store.open(Kind.BODY, key),
        lambda: list(store.list(Kind.BODY)),
        store.probe,
    ):
        with pytest.raises(BlobStoreError, match="refuses us") as raised:
            act()
        assert raised.value.is_permanent
        assert "guessed" not in str(raised.value)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"s3://k:s@bucket/?endpoint=http://127.0.0.1:{free_port()}&timeout=0.5"

    with pytest.raises(BlobStoreError, match="does not answer"):
        S3Store(S3Address.parse(url)).open(Kind.BODY, keys.new("0" * 64))


def test_a_damaged_object_is_not_served(
    s3: S3Store, bucket: Rclone, tmp_path: Path
) -> None:
    key, path = spooled(tmp_path, b"I, Jane Marlow")
    s3.put(Kind.LETTER, key, path)
    bucket.bucket.put(f"letters/{key}", b"I, Jane Barlow")

    with pytest.raises(BlobDamagedError, match="damaged"):
        s3.open(Kind.LETTER, key)


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket/",
        "s3:///prefix",
        "s3://key@bucket/",
        "s3://bucket/?colour=red",
        "s3://bucket/?style=odd",
        "s3://bucket/?timeout=soon",
        "s3://bucket/?timeout=0",
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="S3 URL"):
        S3Address.parse(url)


def test_a_url_in_full() -> None:
    found = S3Address.parse(
        "s3://KEY:a%2Fb@mail/live/?endpoint=https://s3.example&region=eu-west-2&timeout=5"
    )

    assert (found.bucket, found.prefix, found.secret_key) == ("mail", "live", "a/b")
    assert (found.region, found.timeout) == ("eu-west-2", 5.0)
    assert found.name == "s3://mail/live at https://s3.example"
